"""Real servers that the tests start, from Debian's packages (tests/setup.sh installs them)."""
