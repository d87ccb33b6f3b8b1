"""Rate control: a target in, the step (or the steps) that meets it out."""
