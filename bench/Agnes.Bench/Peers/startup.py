"""The start-up of a small command-line program: argument parsing and what an HTTPS client needs."""
import argparse
import ssl  # noqa: F401
import urllib.request  # noqa: F401

parser = argparse.ArgumentParser()
parser.add_argument("--version", action="version", version="peer 1.0")
parser.parse_args()
