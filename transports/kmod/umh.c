// SPDX-License-Identifier: GPL-2.0
/*
 * The user-mode helper: the module has a program started for each message,
 * with the message as an argument, and waits until it is done. The program is
 * root's choice when the module is loaded: without one there is none.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/umh.h>

#include "compat.h"
#include "ipcbench.h"

static char helper[256];
module_param_string(helper, helper, sizeof(helper), 0444);
MODULE_PARM_DESC(helper, "program to start for messages by user-mode helper (none)");

/*
 * What the program is started with. It may be started after its caller was
 * killed and is gone, so all of it is freed when the program has ended.
 */
struct start {
	char *arguments[8];
	char uid[16];
	char name[IPCBENCH_NAME_SIZE];
	char id[16];
	char caller[16];
	char size_max[24];
	char message[];			/* in hexadecimal */
};

static char *environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

static void done(struct subprocess_info *info)
{
	kfree(info->data);
	module_put(THIS_MODULE);
}

static struct start *new_start(const struct ipcbench_channel *channel, const void __user *data,
			       size_t size)
{
	struct start *start = kzalloc(sizeof(*start) + 2 * size + 1, GFP_KERNEL_ACCOUNT);
	char *bytes;

	if (!start)
		return ERR_PTR(-ENOMEM);
	bytes = start->message + size;
	if (copy_from_user(bytes, data, size)) {
		kfree(start);
		return ERR_PTR(-EFAULT);
	}
	/* The text overtakes the bytes only where they have been read. */
	bin2hex(start->message, bytes, size);
	snprintf(start->uid, sizeof(start->uid), "%u", from_kuid(&init_user_ns, channel->uid));
	snprintf(start->size_max, sizeof(start->size_max), "%llu", channel->size_max);
	strscpy(start->name, channel->name, sizeof(start->name));
	/* A program that is late must not find the name's next channel. */
	snprintf(start->id, sizeof(start->id), "%u", channel->id);
	snprintf(start->caller, sizeof(start->caller), "%d", task_tgid_nr(current));
	start->arguments[0] = helper;
	start->arguments[1] = start->uid;
	start->arguments[2] = start->name;
	start->arguments[3] = start->id;
	start->arguments[4] = start->caller;
	start->arguments[5] = start->size_max;
	start->arguments[6] = start->message;
	return start;
}

/* Has a message delivered by the program: -EREMOTEIO where it fails. */
long ipcbench_help(struct ipcbench_session *session, const struct ipcbench_message *message)
{
	struct ipcbench_channel *channel = session->channel;
	struct subprocess_info *info;
	struct start *start;
	int status;

	if (channel->kind != IPCBENCH_QUEUE || channel->peer != IPCBENCH_PROCESS ||
	    channel->name[0] == '\0' || !helper[0])
		return -EOPNOTSUPP;
	if (session->side != IPCBENCH_PRODUCER)
		return -EBADF;
	if (message->size == 0)
		return -EINVAL;
	if (message->size > channel->size_max || message->size > IPCBENCH_HELP_MAX)
		return -EMSGSIZE;
	start = new_start(channel, u64_to_user_ptr(message->data), message->size);
	if (IS_ERR(start))
		return PTR_ERR(start);
	info = call_usermodehelper_setup(helper, start->arguments, environment, GFP_KERNEL, NULL,
					 done, start);
	if (!info) {
		kfree(start);
		return -ENOMEM;
	}
	__module_get(THIS_MODULE);
	status = call_usermodehelper_exec(info, UMH_WAIT_PROC | UMH_KILLABLE);
	if (status == -ERESTARTSYS)
		return -EINTR; /* it was killed, and the program may go on */
	return status > 0 ? -EREMOTEIO : status;
}
