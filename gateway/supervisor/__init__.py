"""What `tandem serve` is: it starts the processes, starts them again, and owns what must outlive them.

Standard library only, and nothing of `gateway` outside this package: what never fails must be small.
"""

from gateway.supervisor.lock import DataInUse, locked_data
from gateway.supervisor.watch import Plan, Report, run

__all__ = ["DataInUse", "Plan", "Report", "locked_data", "run"]
