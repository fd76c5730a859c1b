// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/class/misc/ipcbench/ID: a mailbox for one message. `message` shows it,
 * or nothing, and takes a new one when the last was taken; looking takes
 * nothing away. A write to `taken` does; it shows 1 when the mailbox is empty.
 * Nothing here blocks: who waits polls for EPOLLPRI, which both announce.
 */
#include <linux/device.h>
#include <linux/slab.h>

#include "ipcbench.h"

static ssize_t message_show(struct kobject *directory, struct kobj_attribute *attribute,
			    char *page)
{
	struct ipcbench_mailbox *box = container_of(attribute, struct ipcbench_mailbox, message);
	ssize_t size = 0;

	mutex_lock(&box->lock);
	if (box->full) {
		memcpy(page, box->data, box->size);
		size = box->size;
	}
	mutex_unlock(&box->lock);
	return size;
}

static ssize_t message_store(struct kobject *directory, struct kobj_attribute *attribute,
			     const char *page, size_t size)
{
	struct ipcbench_mailbox *box = container_of(attribute, struct ipcbench_mailbox, message);
	const struct ipcbench_channel *channel =
		container_of(box, struct ipcbench_channel, mailbox);
	ssize_t result = size;

	if (size == 0)
		return -EINVAL;
	if (size > channel->size_max)
		return -EMSGSIZE;
	mutex_lock(&box->lock);
	if (box->full) {
		result = -EAGAIN;
	} else {
		memcpy(box->data, page, size);
		box->size = size;
		box->full = true;
	}
	mutex_unlock(&box->lock);
	if (result > 0)
		sysfs_notify(directory, NULL, "message");
	return result;
}

static ssize_t taken_show(struct kobject *directory, struct kobj_attribute *attribute, char *page)
{
	struct ipcbench_mailbox *box = container_of(attribute, struct ipcbench_mailbox, taken);

	return sysfs_emit(page, "%d\n", !READ_ONCE(box->full));
}

static ssize_t taken_store(struct kobject *directory, struct kobj_attribute *attribute,
			   const char *page, size_t size)
{
	struct ipcbench_mailbox *box = container_of(attribute, struct ipcbench_mailbox, taken);
	bool was_full;

	mutex_lock(&box->lock);
	was_full = box->full;
	WRITE_ONCE(box->full, false);
	mutex_unlock(&box->lock);
	if (!was_full)
		return -EAGAIN;
	sysfs_notify(directory, NULL, "taken");
	return size;
}

static int add_file(struct ipcbench_channel *channel, struct kobj_attribute *attribute,
		    const char *name)
{
	struct kobject *directory = channel->mailbox.directory;
	int error;

	sysfs_attr_init(&attribute->attr);
	attribute->attr.name = name;
	attribute->attr.mode = 0600;
	error = sysfs_create_file(directory, &attribute->attr);
	if (error)
		return error;
	return sysfs_file_change_owner(directory, name, channel->uid, channel->gid);
}

int ipcbench_sysfs_add(struct ipcbench_channel *channel)
{
	struct ipcbench_mailbox *box = &channel->mailbox;
	char name[16];
	int error;

	box->data = kzalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!box->data)
		return -ENOMEM;
	snprintf(name, sizeof(name), "%u", channel->id);
	box->directory = kobject_create_and_add(name, &ipcbench_device()->kobj);
	if (!box->directory)
		return -ENOMEM;
	channel->depth = 1;
	box->message.show = message_show;
	box->message.store = message_store;
	box->taken.show = taken_show;
	box->taken.store = taken_store;
	error = add_file(channel, &box->message, "message");
	return error ? error : add_file(channel, &box->taken, "taken");
}

/* Removing an attribute waits for who is in it. */
void ipcbench_sysfs_remove(struct ipcbench_channel *channel)
{
	struct ipcbench_mailbox *box = &channel->mailbox;

	if (box->directory) {
		if (box->message.attr.name)
			sysfs_remove_file(box->directory, &box->message.attr);
		if (box->taken.attr.name)
			sysfs_remove_file(box->directory, &box->taken.attr);
		kobject_put(box->directory);
	}
	kfree(box->data);
}
