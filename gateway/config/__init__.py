"""What Tandem is told: a TOML file, the environment, the command line, and sound defaults for all of it."""

from gateway.config.loading import default_data_dir, inherited, lan_address, load
from gateway.config.made import SECRETS_FILE
from gateway.config.models import (
    Application,
    Config,
    Http,
    Log,
    Media,
    Number,
    Sip,
    Speech,
    Store,
    Trunk,
    User,
)
from gateway.config.values import STREAMS, Address, Listen, PortRange

__all__ = [
    "SECRETS_FILE",
    "STREAMS",
    "Address",
    "Application",
    "Config",
    "Http",
    "Listen",
    "Log",
    "Media",
    "Number",
    "PortRange",
    "Sip",
    "Speech",
    "Store",
    "Trunk",
    "User",
    "default_data_dir",
    "inherited",
    "lan_address",
    "load",
]
