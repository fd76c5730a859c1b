// SPDX-License-Identifier: GPL-2.0
/*
 * Channels and the sessions on them: how two processes find each other, and
 * what goes when the last of them is gone.
 */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "ipcbench.h"

static unsigned int memory_max_mib = 256;
module_param(memory_max_mib, uint, 0644);
MODULE_PARM_DESC(memory_max_mib, "MiB that all channels together may hold (256)");

static LIST_HEAD(channels);
static DEFINE_MUTEX(channels_lock);
static struct workqueue_struct *destroyer;
static u32 last_id;
static atomic64_t charged;

/*
 * Counts memory of a channel against what the module may hold; freeing the
 * channel gives it back. The control group of who attaches pays for queues:
 * only a ring's memory can't be charged to it on all kernels.
 */
int ipcbench_charge(struct ipcbench_channel *channel, u64 bytes)
{
	if (atomic64_add_return(bytes, &charged) > (s64)memory_max_mib << 20) {
		atomic64_sub(bytes, &charged);
		return -ENOMEM;
	}
	channel->charged += bytes;
	return 0;
}

static void free_channel(struct ipcbench_channel *channel)
{
	ipcbench_proc_remove(channel);
	ipcbench_sysfs_remove(channel);
	ipcbench_ring_free(channel);
	ipcbench_queue_free(&channel->queues[0]);
	ipcbench_queue_free(&channel->queues[1]);
	ipcbench_signal_forget(channel, IPCBENCH_PRODUCER);
	ipcbench_signal_forget(channel, IPCBENCH_CONSUMER);
	atomic64_sub(channel->charged, &charged);
	kfree(channel);
}

static void destroy(struct work_struct *work)
{
	free_channel(container_of(work, struct ipcbench_channel, destroy));
}

/* What a kind of channel is made of. */
static int fill(struct ipcbench_channel *channel)
{
	int error = 0;

	switch (channel->kind) {
	case IPCBENCH_QUEUE:
		if (channel->peer == IPCBENCH_PROCESS)
			error = ipcbench_queue_init(channel, &channel->queues[0]);
		if (!error && channel->peer <= IPCBENCH_ECHO)
			error = ipcbench_queue_init(channel, &channel->queues[1]);
		return error;
	case IPCBENCH_RING:
		return ipcbench_ring_init(channel);
	case IPCBENCH_PROC:
		error = ipcbench_queue_init(channel, &channel->queues[0]);
		return error ? error : ipcbench_proc_add(channel);
	case IPCBENCH_SYSFS:
		return ipcbench_sysfs_add(channel);
	default:
		return 0;
	}
}

static struct ipcbench_channel *new_channel(const struct ipcbench_attach *wish)
{
	struct ipcbench_channel *channel = kzalloc(sizeof(*channel), GFP_KERNEL_ACCOUNT);
	int side;
	int error;

	if (!channel)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&channel->node);
	strscpy(channel->name, wish->name, sizeof(channel->name));
	current_uid_gid(&channel->uid, &channel->gid);
	channel->id = ++last_id;
	channel->kind = wish->kind;
	channel->peer = wish->peer;
	channel->depth = wish->depth;
	channel->size_max = wish->size_max;
	for (side = 0; side < 2; side++) {
		mutex_init(&channel->queues[side].lock);
		init_waitqueue_head(&channel->queues[side].readable);
		init_waitqueue_head(&channel->queues[side].writable);
		init_waitqueue_head(&channel->ring.bells[side].wait);
	}
	init_waitqueue_head(&channel->ring.words);
	init_waitqueue_head(&channel->targeted);
	mutex_init(&channel->mailbox.lock);
	spin_lock_init(&channel->sunk_lock);
	spin_lock_init(&channel->target_lock);
	INIT_WORK(&channel->destroy, destroy);
	error = fill(channel);
	if (error) {
		free_channel(channel);
		return ERR_PTR(error);
	}
	return channel;
}

/* Whether the kernel can be the peer that is wished for. */
static bool kernel_plays(const struct ipcbench_attach *wish)
{
	switch (wish->peer) {
	case IPCBENCH_PROCESS:
		return true;
	case IPCBENCH_SOURCE:
		return wish->kind == IPCBENCH_QUEUE && wish->side != IPCBENCH_PRODUCER;
	default:
		return wish->side != IPCBENCH_CONSUMER &&
		       (wish->kind == IPCBENCH_QUEUE || wish->kind == IPCBENCH_RING ||
			wish->kind == IPCBENCH_NETLINK);
	}
}

static int check_wish(const struct ipcbench_attach *wish)
{
	size_t length = strnlen(wish->name, sizeof(wish->name));
	size_t most = IPCBENCH_MESSAGE_MAX;
	size_t at;

	if (wish->abi != IPCBENCH_ABI)
		return -EPROTO;
	if (wish->reserved || wish->kind > IPCBENCH_NETLINK || wish->side > IPCBENCH_HOLDER ||
	    wish->peer > IPCBENCH_SOURCE || wish->fd < -1)
		return -EINVAL;
	if (length == sizeof(wish->name) || (length > 0 && wish->fd >= 0))
		return -EINVAL;
	for (at = 0; at < length; at++)
		if (!isascii(wish->name[at]) || !isgraph(wish->name[at]))
			return -EINVAL;
	if (!kernel_plays(wish))
		return -EINVAL;
	if (wish->kind == IPCBENCH_SYSFS)
		most = IPCBENCH_SYSFS_MAX;
	if (wish->kind == IPCBENCH_NETLINK)
		most = IPCBENCH_NETLINK_MAX;
	if (wish->size_max < 1 || wish->size_max > most || wish->depth < 1 ||
	    wish->depth > IPCBENCH_DEPTH_MAX)
		return -EINVAL;
	return 0;
}

/* Whoever passes a session on lets others join its channel. */
static struct ipcbench_channel *find_by_fd(int number)
{
	struct ipcbench_channel *channel = ERR_PTR(-EBADF);
	struct file *file = fget(number);

	if (!file)
		return channel;
	if (file->f_op == &ipcbench_fops) {
		channel = ipcbench_channel_of(file->private_data);
		if (channel)
			channel->sessions++;
		else
			channel = ERR_PTR(-ENOTCONN);
	}
	fput(file);
	return channel;
}

static struct ipcbench_channel *find_by_name(const char *name)
{
	struct ipcbench_channel *channel;

	list_for_each_entry(channel, &channels, node)
		if (uid_eq(channel->uid, current_uid()) && strcmp(channel->name, name) == 0)
			return channel;
	return NULL;
}

/* The channel that is wished for, with one session more. */
static struct ipcbench_channel *join(const struct ipcbench_attach *wish)
{
	struct ipcbench_channel *channel;

	lockdep_assert_held(&channels_lock);
	if (wish->fd >= 0)
		return find_by_fd(wish->fd);
	channel = wish->name[0] ? find_by_name(wish->name) : NULL;
	if (wish->id && (!channel || channel->id != wish->id))
		return ERR_PTR(-ENOENT);
	if (!channel) {
		channel = new_channel(wish);
		if (IS_ERR(channel))
			return channel;
		list_add(&channel->node, &channels);
	}
	channel->sessions++;
	return channel;
}

static void leave(struct ipcbench_channel *channel)
{
	mutex_lock(&channels_lock);
	if (--channel->sessions > 0) {
		mutex_unlock(&channels_lock);
		return;
	}
	list_del(&channel->node);
	mutex_unlock(&channels_lock);
	/*
	 * A file in /proc can't be removed in the release of itself, which may
	 * be what brought us here.
	 */
	if (channel->kind == IPCBENCH_PROC)
		queue_work(destroyer, &channel->destroy);
	else
		free_channel(channel);
}

static void count_in(struct ipcbench_session *session, struct ipcbench_channel *channel, u32 side)
{
	session->side = side;
	if (side <= IPCBENCH_CONSUMER) {
		WRITE_ONCE(channel->attached[side], channel->attached[side] + 1);
		WRITE_ONCE(channel->seen[side], true);
	}
	/* Pairs with ipcbench_channel_of: who sees the channel sees the side. */
	smp_store_release(&session->channel, channel);
}

/*
 * Attaches a session that isn't attached yet; what was found is told in the
 * wish. -EEXIST where a channel of that name differs from the wish, -ENOENT
 * where it is another one than the wish has the number of.
 */
int ipcbench_attach(struct ipcbench_session *session, struct ipcbench_attach *wish)
{
	struct ipcbench_channel *channel;
	int error = check_wish(wish);

	if (error)
		return error;
	mutex_lock(&session->lock);
	if (session->channel) {
		mutex_unlock(&session->lock);
		return -EISCONN;
	}
	mutex_lock(&channels_lock);
	channel = join(wish);
	if (IS_ERR(channel)) {
		error = PTR_ERR(channel);
		goto out;
	}
	if (channel->kind != wish->kind || channel->peer != wish->peer ||
	    channel->size_max != wish->size_max)
		error = -EEXIST;
	if (!error && channel->peer != IPCBENCH_PROCESS && !session->scratch) {
		session->scratch = kvzalloc(channel->size_max, GFP_KERNEL_ACCOUNT);
		if (!session->scratch)
			error = -ENOMEM;
	}
	if (!error) {
		count_in(session, channel, wish->side);
		wish->depth = channel->depth;
		wish->id = channel->id;
	}
out:
	mutex_unlock(&channels_lock);
	if (error && !IS_ERR(channel))
		leave(channel);
	mutex_unlock(&session->lock);
	return error;
}

/* Attaches a session to a channel that somebody else holds. */
int ipcbench_attach_to(struct ipcbench_session *session, struct ipcbench_channel *channel,
		       u32 side)
{
	int error = 0;

	mutex_lock(&channels_lock);
	if (channel->sessions == 0) {
		error = -ENOENT;
	} else {
		channel->sessions++;
		count_in(session, channel, side);
	}
	mutex_unlock(&channels_lock);
	return error;
}

struct ipcbench_session *ipcbench_session_new(void)
{
	struct ipcbench_session *session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);

	if (!session)
		return NULL;
	mutex_init(&session->lock);
	INIT_LIST_HEAD(&session->bound);
	return session;
}

/* Whoever waits for this side looks again. */
static void wake_all(struct ipcbench_channel *channel)
{
	int side;

	for (side = 0; side < 2; side++) {
		wake_up_interruptible_poll(&channel->queues[side].readable, EPOLLIN | EPOLLHUP);
		wake_up_interruptible_poll(&channel->queues[side].writable, EPOLLOUT | EPOLLHUP);
		wake_up_interruptible_poll(&channel->ring.bells[side].wait, EPOLLIN | EPOLLHUP);
	}
	wake_up_interruptible(&channel->ring.words);
	wake_up_interruptible(&channel->targeted);
}

void ipcbench_session_end(struct ipcbench_session *session)
{
	struct ipcbench_channel *channel = session->channel;

	ipcbench_netlink_forget(session);
	if (channel) {
		if (session->side <= IPCBENCH_CONSUMER) {
			mutex_lock(&channels_lock);
			WRITE_ONCE(channel->attached[session->side],
				   channel->attached[session->side] - 1);
			mutex_unlock(&channels_lock);
			wake_all(channel);
		}
		leave(channel);
	}
	kvfree(session->scratch);
	kfree(session);
}

int ipcbench_channels_init(void)
{
	destroyer = alloc_workqueue("ipcbench", 0, 0);
	return destroyer ? 0 : -ENOMEM;
}

void ipcbench_channels_exit(void)
{
	destroy_workqueue(destroyer);
	WARN_ON(!list_empty(&channels));
	WARN_ON(atomic64_read(&charged) != 0);
}
