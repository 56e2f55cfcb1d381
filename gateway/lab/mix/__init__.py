"""A conference offline: WAV files in, what each party would have heard out, by the same plane as live calls.

`scenario` is what a person writes, `wire` what it makes of a file on the way to the switch, `conference` the plane in
virtual time, `report` and `plot` what there is to see afterwards.
"""
