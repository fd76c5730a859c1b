/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module's files share: sessions, channels, and what a facility has
 * of its own in a channel.
 */
#ifndef IPCBENCH_H
#define IPCBENCH_H

#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "ipcbench_uapi.h"

/* A bounded queue of messages, each with its size before it. */
struct ipcbench_queue {
	struct mutex lock;		/* who copies holds it */
	wait_queue_head_t readable;
	wait_queue_head_t writable;
	u8 *data;
	u32 capacity;			/* bytes */
	u32 used;			/* bytes; read without the lock, too */
	u32 write_at;
	u32 read_at;
};

/* Rings, and is heard once, however often it rang. */
struct ipcbench_bell {
	wait_queue_head_t wait;
	atomic_t rung;
};

struct ipcbench_ring {
	void *memory;			/* of vmalloc_user */
	size_t size;			/* whole pages */
	wait_queue_head_t words;	/* who waits for a word to change */
	struct ipcbench_bell bells[2];	/* of each side */
};

struct ipcbench_mailbox {
	struct kobject *directory;
	struct kobj_attribute message;
	struct kobj_attribute taken;
	struct attribute *attributes[3];	/* both, and NULL */
	struct attribute_group files;
	bool has_files;
	struct mutex lock;		/* what follows */
	char *data;
	size_t size;
	bool full;
};

/* Whom a signal goes to. */
struct ipcbench_target {
	struct pid *pid;
	int signal;
};

/* A netlink socket that speaks for a side. */
struct ipcbench_port {
	const struct net *net;
	u32 number;			/* 0: there is none */
};

struct ipcbench_channel {
	struct list_head node;
	char name[IPCBENCH_NAME_SIZE];
	kuid_t uid;
	kgid_t gid;
	u32 id;
	u32 kind;
	u32 peer;
	u32 depth;
	u64 size_max;
	u64 charged;			/* bytes, of what the module may hold */

	/* Guarded by channels_lock; the arrays are read without it, too. */
	int sessions;
	int attached[2];		/* sessions on each side */
	bool seen[2];			/* whether a side ever had one */

	struct ipcbench_queue queues[2]; /* that each side reads from: 1, 0 */
	struct ipcbench_ring ring;
	struct proc_dir_entry *proc;
	struct ipcbench_mailbox mailbox;
	spinlock_t sunk_lock;		/* sunk */
	struct ipcbench_sunk sunk;	/* what the kernel has read */
	spinlock_t target_lock;		/* targets */
	wait_queue_head_t targeted;
	struct ipcbench_target targets[2];
	struct ipcbench_port ports[2];	/* guarded by netlink.c's lock */
	struct work_struct destroy;
};

struct ipcbench_session {
	struct mutex lock;		/* attaching, and what follows */
	struct ipcbench_channel *channel; /* set once, by ipcbench_attach */
	u32 side;
	void *scratch;			/* size_max bytes, where the kernel is the peer */
	u64 next;			/* message of a source */
	struct list_head bound;		/* in netlink.c's list, where it has a cookie */
	u64 cookie;
};

/* The channel of a session, or NULL. */
static inline struct ipcbench_channel *ipcbench_channel_of(struct ipcbench_session *session)
{
	/* Pairs with count_in. */
	return smp_load_acquire(&session->channel);
}

static inline u32 ipcbench_other(u32 side)
{
	return side == IPCBENCH_PRODUCER ? IPCBENCH_CONSUMER : IPCBENCH_PRODUCER;
}

/* Whether the other side was there and is no more. */
static inline bool ipcbench_is_alone(const struct ipcbench_channel *channel, u32 side)
{
	u32 other = ipcbench_other(side);

	return channel->peer == IPCBENCH_PROCESS && READ_ONCE(channel->seen[other]) &&
	       READ_ONCE(channel->attached[other]) == 0;
}

/* channel.c */
struct ipcbench_session *ipcbench_session_new(void);
void ipcbench_session_end(struct ipcbench_session *session);
int ipcbench_attach(struct ipcbench_session *session, struct ipcbench_attach *wish);
int ipcbench_attach_to(struct ipcbench_session *session, struct ipcbench_channel *channel,
		       u32 side);
int ipcbench_charge(struct ipcbench_channel *channel, u64 bytes);
int ipcbench_channels_init(void);
void ipcbench_channels_exit(void);

/* device.c */
extern const struct file_operations ipcbench_fops;
struct device *ipcbench_device(void);
int ipcbench_device_init(void);
void ipcbench_device_exit(void);

/* queue.c */
int ipcbench_queue_init(struct ipcbench_channel *channel, struct ipcbench_queue *queue);
void ipcbench_queue_free(struct ipcbench_queue *queue);
ssize_t ipcbench_send(struct ipcbench_session *session, const void __user *data, size_t size,
		      bool nonblock);
ssize_t ipcbench_receive(struct ipcbench_session *session, void __user *data, size_t size,
			 bool nonblock);
__poll_t ipcbench_queue_poll(struct ipcbench_session *session, struct file *file,
			     poll_table *wait);
long ipcbench_call(struct ipcbench_session *session, struct ipcbench_call __user *user);
void ipcbench_sink(struct ipcbench_channel *channel, const void *data, size_t size);

/* ring.c */
int ipcbench_ring_init(struct ipcbench_channel *channel);
void ipcbench_ring_free(struct ipcbench_channel *channel);
int ipcbench_ring_mmap(struct ipcbench_channel *channel, struct vm_area_struct *vma);
ssize_t ipcbench_bell_take(struct ipcbench_session *session, u32 __user *count, size_t size,
			   bool nonblock);
ssize_t ipcbench_bell_ring(struct ipcbench_session *session, const u32 __user *count,
			   size_t size);
__poll_t ipcbench_bell_poll(struct ipcbench_session *session, struct file *file,
			    poll_table *wait);
long ipcbench_wait(struct ipcbench_session *session, const struct ipcbench_word *word);
long ipcbench_wake(struct ipcbench_session *session, const struct ipcbench_word *word);
long ipcbench_move(struct ipcbench_session *session, const struct ipcbench_move *move);

/* proc.c */
int ipcbench_proc_init(void);
void ipcbench_proc_exit(void);
int ipcbench_proc_add(struct ipcbench_channel *channel);
void ipcbench_proc_remove(struct ipcbench_channel *channel);

/* sysfs.c */
int ipcbench_sysfs_add(struct ipcbench_channel *channel);
void ipcbench_sysfs_remove(struct ipcbench_channel *channel);

/* signal.c */
long ipcbench_signal_me(struct ipcbench_session *session, u32 signal);
long ipcbench_signal(struct ipcbench_session *session, const struct ipcbench_signal *signal,
		     bool nonblock);
void ipcbench_signal_forget(struct ipcbench_channel *channel, u32 side);

/* umh.c */
long ipcbench_help(struct ipcbench_session *session, const struct ipcbench_message *message);

/* netlink.c */
int ipcbench_netlink_init(void);
void ipcbench_netlink_exit(void);
long ipcbench_cookie(struct ipcbench_session *session, u64 *cookie);
void ipcbench_netlink_forget(struct ipcbench_session *session);

#endif
