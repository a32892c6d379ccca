"""The user study as a small web page: two systems' films side by side, judged by people.

films reads the folder and making makes it from two packs; plan draws what a participant sees; store
keeps the answers in one SQLite file; server and page/ show it; report reads the file.
"""
