"""The networks of the paper (PyTorch), their losses, and the pack that carries them."""
