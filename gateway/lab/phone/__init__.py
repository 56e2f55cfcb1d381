"""The test phone: a SIP phone whose ears keep books (`phone`), and its media without any I/O (`media`)."""
