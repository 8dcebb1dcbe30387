"""What rules, conditions and several parents entail, exactly."""
