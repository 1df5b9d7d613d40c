"""Rules are removed one at a time, in a copy of the code, and a test must fail: `make mutations`."""
