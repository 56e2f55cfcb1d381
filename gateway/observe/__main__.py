"""`python -m gateway.observe` prints the table of events as Markdown."""

import sys

from gateway.observe.events import table

if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
