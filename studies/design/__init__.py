"""Studies, conditions and the plan of who answers what under which condition."""
