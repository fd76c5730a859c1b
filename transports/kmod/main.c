// SPDX-License-Identifier: GPL-2.0
/*
 * ipcbench: ways of drivers to move messages, to be measured: between two
 * processes through the kernel, and between a process and the kernel.
 *
 * What it offers stands in ipcbench_uapi.h. The device comes last and goes
 * first: without it nobody can get at the rest.
 */
#include <linux/module.h>

#include "ipcbench.h"

static int __init ipcbench_init(void)
{
	int error;

	error = ipcbench_channels_init();
	if (error)
		return error;
	error = ipcbench_proc_init();
	if (error)
		goto no_proc;
	error = ipcbench_netlink_init();
	if (error)
		goto no_netlink;
	error = ipcbench_device_init();
	if (error)
		goto no_device;
	return 0;

no_device:
	ipcbench_netlink_exit();
no_netlink:
	ipcbench_proc_exit();
no_proc:
	ipcbench_channels_exit();
	return error;
}

static void __exit ipcbench_exit(void)
{
	ipcbench_device_exit();
	ipcbench_netlink_exit();
	ipcbench_channels_exit();
	ipcbench_proc_exit();
}

module_init(ipcbench_init);
module_exit(ipcbench_exit);

MODULE_DESCRIPTION("IPC through a device, for benchmarks");
MODULE_LICENSE("GPL");
MODULE_VERSION("1");
