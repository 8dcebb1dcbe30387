"""`python -m linnaeus` is the `linnaeus` command."""

from .cli.main import main

if __name__ == "__main__":
    main()
