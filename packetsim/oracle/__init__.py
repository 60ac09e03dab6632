"""Rule: the same flow on a real Linux kernel, and the comparison. Nothing else in packetsim imports this.

A cluster becomes a Plan (`wiring`), which a guest carries out in network namespaces of a kernel
(`judge`, `guest`); what that kernel did (`observation`) is compared with our walk (`comparison`).
"""
