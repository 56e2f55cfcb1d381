"""A flight on disk (`file`), had again (`outcome`) and audible (`tape`), or taken from a live switch (`live`)."""
