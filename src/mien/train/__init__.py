"""The two stages of the paper: recipes, the loop, what each stage minimises."""
