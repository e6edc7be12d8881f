"""What `watchkeeper doctor` looks at: each module examines one neighbourhood, and changes nothing in it."""
