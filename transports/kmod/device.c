// SPDX-License-Identifier: GPL-2.0
/* /dev/ipcbench: every open file of it is a session. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "ipcbench.h"

static int device_open(struct inode *inode, struct file *file)
{
	struct ipcbench_session *session = ipcbench_session_new();

	if (!session)
		return -ENOMEM;
	file->private_data = session;
	return stream_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	ipcbench_session_end(file->private_data);
	return 0;
}

static ssize_t device_read(struct file *file, char __user *data, size_t size, loff_t *offset)
{
	struct ipcbench_session *session = file->private_data;
	const struct ipcbench_channel *channel = ipcbench_channel_of(session);
	bool nonblock = file->f_flags & O_NONBLOCK;

	if (!channel)
		return -ENOTCONN;
	if (channel->kind == IPCBENCH_RING)
		return ipcbench_bell_take(session, (u32 __user *)data, size, nonblock);
	return ipcbench_receive(session, data, size, nonblock);
}

static ssize_t device_write(struct file *file, const char __user *data, size_t size,
			    loff_t *offset)
{
	struct ipcbench_session *session = file->private_data;
	const struct ipcbench_channel *channel = ipcbench_channel_of(session);

	if (!channel)
		return -ENOTCONN;
	if (channel->kind == IPCBENCH_RING)
		return ipcbench_bell_ring(session, (const u32 __user *)data, size);
	return ipcbench_send(session, data, size, file->f_flags & O_NONBLOCK);
}

static __poll_t device_poll(struct file *file, poll_table *wait)
{
	struct ipcbench_session *session = file->private_data;
	const struct ipcbench_channel *channel = ipcbench_channel_of(session);

	if (!channel)
		return EPOLLERR;
	switch (channel->kind) {
	case IPCBENCH_RING:
		return ipcbench_bell_poll(session, file, wait);
	case IPCBENCH_QUEUE:
	case IPCBENCH_PROC:
		return ipcbench_queue_poll(session, file, wait);
	default:
		return EPOLLERR;
	}
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ipcbench_channel *channel = ipcbench_channel_of(file->private_data);

	if (!channel)
		return -ENOTCONN;
	return ipcbench_ring_mmap(channel, vma);
}

static long attach(struct ipcbench_session *session, void __user *user)
{
	struct ipcbench_attach wish;
	int error;

	if (copy_from_user(&wish, user, sizeof(wish)))
		return -EFAULT;
	error = ipcbench_attach(session, &wish);
	if (error)
		return error;
	/* It stays attached: a pointer that was readable mostly is writable. */
	return copy_to_user(user, &wish, sizeof(wish)) ? -EFAULT : 0;
}

static long receive(struct ipcbench_session *session, struct ipcbench_message __user *user,
		    bool nonblock)
{
	struct ipcbench_message message;
	ssize_t size;

	if (copy_from_user(&message, user, sizeof(message)))
		return -EFAULT;
	size = ipcbench_receive(session, u64_to_user_ptr(message.data),
				min_t(u64, message.size, IPCBENCH_MESSAGE_MAX), nonblock);
	if (size < 0)
		return size;
	return put_user((u64)size, &user->size) ? -EFAULT : 0;
}

static long sunk(struct ipcbench_channel *channel, void __user *user)
{
	struct ipcbench_sunk sunk;

	spin_lock(&channel->sunk_lock);
	sunk = channel->sunk;
	spin_unlock(&channel->sunk_lock);
	return copy_to_user(user, &sunk, sizeof(sunk)) ? -EFAULT : 0;
}

static long give_cookie(struct ipcbench_session *session, u64 __user *user)
{
	u64 cookie;
	long error = ipcbench_cookie(session, &cookie);

	return error ? error : put_user(cookie, user);
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct ipcbench_session *session = file->private_data;
	void __user *user = (void __user *)argument;
	bool nonblock = file->f_flags & O_NONBLOCK;
	union {
		struct ipcbench_message message;
		struct ipcbench_word word;
		struct ipcbench_move move;
		struct ipcbench_signal signal;
		u32 number;
	} in;
	ssize_t size;

	if (command == IPCBENCH_IOC_NULL)
		return 0;
	if (command == IPCBENCH_IOC_ATTACH)
		return attach(session, user);
	if (_IOC_TYPE(command) != _IOC_TYPE(IPCBENCH_IOC_NULL))
		return -ENOTTY;
	if (!ipcbench_channel_of(session))
		return -ENOTCONN;

	switch (command) {
	case IPCBENCH_IOC_SEND:
		if (copy_from_user(&in.message, user, sizeof(in.message)))
			return -EFAULT;
		if (in.message.size > IPCBENCH_MESSAGE_MAX)
			return -EMSGSIZE;
		size = ipcbench_send(session, u64_to_user_ptr(in.message.data), in.message.size,
				     nonblock);
		return size < 0 ? size : 0;
	case IPCBENCH_IOC_RECEIVE:
		return receive(session, user, nonblock);
	case IPCBENCH_IOC_CALL:
		return ipcbench_call(session, user);
	case IPCBENCH_IOC_SUNK:
		return sunk(session->channel, user);
	case IPCBENCH_IOC_WAIT:
	case IPCBENCH_IOC_WAKE:
		if (copy_from_user(&in.word, user, sizeof(in.word)))
			return -EFAULT;
		return command == IPCBENCH_IOC_WAIT ? ipcbench_wait(session, &in.word) :
						      ipcbench_wake(session, &in.word);
	case IPCBENCH_IOC_MOVE:
		if (copy_from_user(&in.move, user, sizeof(in.move)))
			return -EFAULT;
		return ipcbench_move(session, &in.move);
	case IPCBENCH_IOC_SIGNAL_ME:
		if (copy_from_user(&in.number, user, sizeof(in.number)))
			return -EFAULT;
		return ipcbench_signal_me(session, in.number);
	case IPCBENCH_IOC_SIGNAL:
		if (copy_from_user(&in.signal, user, sizeof(in.signal)))
			return -EFAULT;
		return ipcbench_signal(session, &in.signal, nonblock);
	case IPCBENCH_IOC_HELP:
		if (copy_from_user(&in.message, user, sizeof(in.message)))
			return -EFAULT;
		return ipcbench_help(session, &in.message);
	case IPCBENCH_IOC_COOKIE:
		return give_cookie(session, user);
	default:
		return -ENOTTY;
	}
}

const struct file_operations ipcbench_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.read = device_read,
	.write = device_write,
	.poll = device_poll,
	.mmap = device_mmap,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice ipcbench_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ipcbench",
	.mode = 0660, /* root's, until udev's rule gives it to a group */
	.fops = &ipcbench_fops,
};

struct device *ipcbench_device(void)
{
	return ipcbench_misc.this_device;
}

int ipcbench_device_init(void)
{
	return misc_register(&ipcbench_misc);
}

void ipcbench_device_exit(void)
{
	misc_deregister(&ipcbench_misc);
}
