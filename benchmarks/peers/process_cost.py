import os
import re
import resource


def peak_rss_mb():
    """Peak resident memory in MB (10^6 bytes); ru_maxrss would start at what the parent process held."""
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as status:
            kilobytes = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1))
    else:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * 1024 / 1e6
