"""How browsers find a path to us: STUN messages and the lite side of ICE (RFC 8489, RFC 8445), without sockets."""
