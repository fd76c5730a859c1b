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

static void name_file(struct kobj_attribute *attribute, const char *name)
{
	sysfs_attr_init(&attribute->attr);
	attribute->attr.name = name;
	attribute->attr.mode = 0600;
}

/* Both files, which belong to the channel's user. */
static int add_files(struct ipcbench_channel *channel)
{
	struct ipcbench_mailbox *box = &channel->mailbox;
	int error;

	name_file(&box->message, "message");
	name_file(&box->taken, "taken");
	box->attributes[0] = &box->message.attr;
	box->attributes[1] = &box->taken.attr;
	box->files.attrs = box->attributes;
	error = sysfs_create_group(box->directory, &box->files);
	if (error)
		return error;
	box->has_files = true;
	return sysfs_group_change_owner(box->directory, &box->files, channel->uid, channel->gid);
}

int ipcbench_sysfs_add(struct ipcbench_channel *channel)
{
	struct ipcbench_mailbox *box = &channel->mailbox;
	char name[16];

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
	return add_files(channel);
}

/* Removing the files waits for who is in one. */
void ipcbench_sysfs_remove(struct ipcbench_channel *channel)
{
	struct ipcbench_mailbox *box = &channel->mailbox;

	if (box->has_files)
		sysfs_remove_group(box->directory, &box->files);
	kobject_put(box->directory);
	kfree(box->data);
}
