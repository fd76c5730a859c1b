// SPDX-License-Identifier: GPL-2.0
/*
 * The user-mode helper: the module has a program started for each message,
 * with the message as an argument, and waits until it is done. The program is
 * root's choice when the module is loaded: without one there is none.
 */
#include <linux/kernel.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/umh.h>

#include "ipcbench.h"

static char helper[256];
module_param_string(helper, helper, sizeof(helper), 0444);
MODULE_PARM_DESC(helper, "program to start for messages by user-mode helper (none)");

/* The program gets the user's number, the channel's name, its size_max and the message. */
static long start(struct ipcbench_channel *channel, const u8 *message, size_t size)
{
	static char *environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char uid[16];
	char size_max[24];
	char *hex = kmalloc(2 * size + 1, GFP_KERNEL);
	char *arguments[] = { helper, uid, channel->name, size_max, hex, NULL };
	int status;

	if (!hex)
		return -ENOMEM;
	*bin2hex(hex, message, size) = '\0';
	snprintf(uid, sizeof(uid), "%u", from_kuid(&init_user_ns, channel->uid));
	snprintf(size_max, sizeof(size_max), "%llu", channel->size_max);
	status = call_usermodehelper(helper, arguments, environment, UMH_WAIT_PROC | UMH_KILLABLE);
	kfree(hex);
	if (status == -EINTR || status == -ERESTARTSYS)
		return -EINTR;
	return status > 0 ? -EREMOTEIO : status; /* what the program exited with */
}

long ipcbench_help(struct ipcbench_session *session, const struct ipcbench_message *message)
{
	struct ipcbench_channel *channel = session->channel;
	u8 *data;
	long error;

	if (channel->kind != IPCBENCH_QUEUE || channel->peer != IPCBENCH_PROCESS ||
	    channel->name[0] == '\0' || !helper[0])
		return -EOPNOTSUPP;
	if (session->side != IPCBENCH_PRODUCER)
		return -EBADF;
	if (message->size == 0)
		return -EINVAL;
	if (message->size > channel->size_max || message->size > IPCBENCH_HELP_MAX)
		return -EMSGSIZE;
	data = memdup_user(u64_to_user_ptr(message->data), message->size);
	if (IS_ERR(data))
		return PTR_ERR(data);
	error = start(channel, data, message->size);
	kfree(data);
	return error;
}
