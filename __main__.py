"""`python -m outrider` is `outrider`."""

from .client.cli import main

main()
