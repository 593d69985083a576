"""``python -m unmist``: the same command line as ``unmist``."""

from unmist.cli import main

if __name__ == "__main__":
    main(prog_name="unmist")
