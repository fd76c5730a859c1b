// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/ipcbench/ID: a queue one way. Who opens the file to write is its
 * producer, who opens it to read its consumer; it belongs to the user who made
 * the channel. Such an open file is a session too: it keeps the channel.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/proc_fs.h>

#include "compat.h"
#include "ipcbench.h"

static struct proc_dir_entry *directory;

static int proc_open(struct inode *inode, struct file *file)
{
	struct ipcbench_channel *channel = ipcbench_proc_data(inode);
	struct ipcbench_session *session;
	int error;

	if ((file->f_mode & FMODE_READ) && (file->f_mode & FMODE_WRITE))
		return -EINVAL;
	session = ipcbench_session_new();
	if (!session)
		return -ENOMEM;
	error = ipcbench_attach_to(session, channel, file->f_mode & FMODE_WRITE ?
				   IPCBENCH_PRODUCER : IPCBENCH_CONSUMER);
	if (error) {
		ipcbench_session_end(session);
		return error;
	}
	/* Whoever polls the file waits in the channel's memory. */
	__module_get(THIS_MODULE);
	file->private_data = session;
	return stream_open(inode, file);
}

static int proc_release(struct inode *inode, struct file *file)
{
	ipcbench_session_end(file->private_data);
	/* Removing the directory waits for this function. */
	module_put(THIS_MODULE);
	return 0;
}

static ssize_t proc_read(struct file *file, char __user *data, size_t size, loff_t *offset)
{
	return ipcbench_receive(file->private_data, data, size, file->f_flags & O_NONBLOCK);
}

static ssize_t proc_write(struct file *file, const char __user *data, size_t size,
			  loff_t *offset)
{
	return ipcbench_send(file->private_data, data, size, file->f_flags & O_NONBLOCK);
}

static __poll_t proc_poll(struct file *file, poll_table *wait)
{
	return ipcbench_queue_poll(file->private_data, file, wait);
}

static const struct proc_ops proc_file = {
	.proc_open = proc_open,
	.proc_release = proc_release,
	.proc_read = proc_read,
	.proc_write = proc_write,
	.proc_poll = proc_poll,
};

int ipcbench_proc_add(struct ipcbench_channel *channel)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", channel->id);
	channel->proc = proc_create_data(name, 0600, directory, &proc_file, channel);
	if (!channel->proc)
		return -ENOMEM;
	proc_set_user(channel->proc, channel->uid, channel->gid);
	return 0;
}

void ipcbench_proc_remove(struct ipcbench_channel *channel)
{
	proc_remove(channel->proc);
}

int ipcbench_proc_init(void)
{
	directory = proc_mkdir("ipcbench", NULL);
	return directory ? 0 : -ENOMEM;
}

void ipcbench_proc_exit(void)
{
	proc_remove(directory);
}
