"""`python -m wutong` is the `wutong` command."""

from wutong.cli import main

main()
