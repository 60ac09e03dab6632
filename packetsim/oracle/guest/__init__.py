"""Rule: the guest knows namespaces, sockets and texts, and nothing of Kubernetes; it imports nothing of packetsim.

It runs where only Python's library is: `python3 -m guest`, in a virtual machine or in namespaces of its own
(`unshare --net --mount --pid --fork`). It reads a request a line and writes a reply a line (`channel`).
Its parts import each other relatively, since there the package is called `guest`.

From the wire inwards: `channel`, `asked`, `desk` (a thread for each cluster), `cluster` (what a request does),
`loading`, `probing`, `servers`, `proxying`; at the bottom `loop`, `namespaces`, `netlink`, `tracing`, `running`.
"""
