"""What is posted, parsed: good rows as one payload, the others with their reasons. No I/O, no clock."""
