#!/bin/sh
# Rule: the first process of the virtual machine. It makes a Linux of the bare kernel, then runs the guest on the port
# to the host, and turns the machine off when the guest ends. What goes wrong is told on the console.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C.UTF-8

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp

modprobe -a $(cat /etc/modules) || echo "not every module of /etc/modules could be loaded"

ulimit -n 65536 # sockets and namespaces are many
ip link set lo up

until port=$(grep -lx guest /sys/class/virtio-ports/*/name); do sleep 0.02; done
port=${port%/name}
port=${port##*/}
# Until the host is there, reading gives the end of the file (Linux drivers/char/virtio_console.c, port_fops_read).
until grep -qx 'host_connected: 1' "/sys/kernel/debug/virtio-ports/$port"; do sleep 0.02; done

cd /judge
python3 -B -m guest <>"/dev/$port" >&0 # opened once for both ways: a second open is refused
echo "the guest ended with status $?"
poweroff -f
