"""Live sessions: rules, operations and what participants see of them."""
