"""What every function of the billing service shares; the layers and their rules stand in README.

What the process has loaded before this, the framework and its libraries, is there to stay: the
collector of garbage is told not to walk through it again and again while the rest is loaded, which
was a third of what a start of ours cost beyond a lean one (PERF-1).
"""

import gc

gc.freeze()
