"""What people look at: the web phone and the module that it is built on.

Pages and scripts are files of ours in `static/`, served as they are: there is no build step, nothing in them comes
from another place, and `tandem.js` is at once what other people's pages import (docs/app-clients.md).  Nothing here
imports the switch; who serves the files is `gateway.api.phone`.
"""

from gateway.console.pages import PAGES, Page

__all__ = ["PAGES", "Page"]
