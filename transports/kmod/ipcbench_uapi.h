/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * The interface of /dev/ipcbench, of the generic netlink family "ipcbench", of
 * /proc/ipcbench/ID and of /sys/class/misc/ipcbench/ID, for user space.
 *
 * Every open file of the device is a session. A session attaches itself to a
 * channel, once; the channel lives as long as any session of it. Its name is
 * one of the user who made it: no other user can join it.
 */
#ifndef IPCBENCH_UAPI_H
#define IPCBENCH_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IPCBENCH_DEVICE "/dev/ipcbench"
#define IPCBENCH_ABI 1

/* Limits. */
#define IPCBENCH_NAME_SIZE 64		/* with the zero at its end */
#define IPCBENCH_MESSAGE_MAX (16 << 20)	/* of a queue, and of a ring's memory */
#define IPCBENCH_QUEUE_MAX (2 << 20)	/* a queue of more holds one message */
#define IPCBENCH_DEPTH_MAX 0x100000
#define IPCBENCH_SYSFS_MAX 4095		/* an attribute is shown in one page */
#define IPCBENCH_HELP_MAX 2048		/* an argument of a program, in hex */
#define IPCBENCH_NETLINK_MAX 65528	/* an attribute's length has 16 bits */

/* What a channel is made of: ipcbench_attach.kind. */
#define IPCBENCH_QUEUE 0	/* a queue each way: read, write, ioctl */
#define IPCBENCH_RING 1		/* memory to map, and a bell each way */
#define IPCBENCH_PROC 2		/* a queue one way, in /proc/ipcbench/ID */
#define IPCBENCH_SYSFS 3	/* a mailbox in sysfs */
#define IPCBENCH_SIGNAL 4	/* signals to who asked for them */
#define IPCBENCH_NETLINK 5	/* generic netlink */

/* Which end a session is: ipcbench_attach.side. */
#define IPCBENCH_PRODUCER 0
#define IPCBENCH_CONSUMER 1
#define IPCBENCH_HOLDER 2	/* none: it keeps the channel for others */

/* Who is at the other end: ipcbench_attach.peer. */
#define IPCBENCH_PROCESS 0
#define IPCBENCH_ECHO 1		/* the kernel, which sends back what it gets */
#define IPCBENCH_SINK 2		/* the kernel, which reads what it gets */
#define IPCBENCH_SOURCE 3	/* the kernel, which has messages for who reads */

/*
 * Word w of message i of a source, each counted from 0 and of 64 bits, is i
 * times this.
 */
#define IPCBENCH_SOURCE_STEP 0x9E3779B97F4A7C15ULL

struct ipcbench_attach {
	__u32 abi;		/* IPCBENCH_ABI */
	__u32 kind;
	__u32 side;
	__u32 peer;
	__s32 fd;		/* a session whose channel to join, or -1: by name */
	__u32 depth;		/* wished for, in messages; what there is */
	__u64 size_max;		/* bytes of the largest message, or of a ring */
	__u32 id;		/* 0, or what a name must have; out: in /proc and /sys */
	__u32 reserved;		/* 0 */
	char name[IPCBENCH_NAME_SIZE]; /* graphic ASCII; "": a new channel */
};

struct ipcbench_message {
	__u64 data;		/* address */
	__u64 size;		/* to receive: of the buffer; out: of the message */
};

struct ipcbench_call {
	__u64 request;
	__u64 request_size;
	__u64 reply;
	__u64 reply_size;	/* of the buffer; out: of the reply */
};

/* What the kernel has read as a sink: all messages together. */
struct ipcbench_sunk {
	__u64 messages;
	__u64 bytes;
	__u64 sum;		/* of all words of 64 bits; the last may be short */
};

struct ipcbench_word {
	__u64 offset;		/* of 32 bits in the ring's memory */
	__u32 expected;		/* sleep only as long as they are this */
	__u32 reserved;		/* 0 */
};

/* Bytes in a ring's memory, to be copied there or only read. */
struct ipcbench_move {
	__u64 from;
	__u64 to;		/* IPCBENCH_NOWHERE: the kernel only reads them */
	__u64 size;
};

#define IPCBENCH_NOWHERE (~0ULL)

struct ipcbench_signal {
	__u64 value;		/* si_value */
	__u32 number;		/* si_errno */
	__u32 reserved;		/* 0 */
};

#define IPCBENCH_IOC_NULL _IO(0xb7, 0)
#define IPCBENCH_IOC_ATTACH _IOWR(0xb7, 1, struct ipcbench_attach)
#define IPCBENCH_IOC_SEND _IOW(0xb7, 2, struct ipcbench_message)
#define IPCBENCH_IOC_RECEIVE _IOWR(0xb7, 3, struct ipcbench_message)
#define IPCBENCH_IOC_CALL _IOWR(0xb7, 4, struct ipcbench_call)
#define IPCBENCH_IOC_SUNK _IOR(0xb7, 5, struct ipcbench_sunk)
#define IPCBENCH_IOC_WAIT _IOW(0xb7, 6, struct ipcbench_word)
#define IPCBENCH_IOC_WAKE _IOW(0xb7, 7, struct ipcbench_word)
#define IPCBENCH_IOC_MOVE _IOW(0xb7, 8, struct ipcbench_move)
#define IPCBENCH_IOC_SIGNAL_ME _IOW(0xb7, 9, __u32)
#define IPCBENCH_IOC_SIGNAL _IOW(0xb7, 10, struct ipcbench_signal)
#define IPCBENCH_IOC_HELP _IOW(0xb7, 11, struct ipcbench_message)
#define IPCBENCH_IOC_COOKIE _IOR(0xb7, 12, __u64)

/*
 * Generic netlink. A socket joins the channel of a session by the session's
 * cookie, and speaks for it as long as both live. SEND goes to the other
 * side's socket, or to the kernel, as an IPCBENCH_CMD_DATA.
 */
#define IPCBENCH_FAMILY "ipcbench"
#define IPCBENCH_FAMILY_VERSION 1

enum {
	IPCBENCH_CMD_UNSPEC,
	IPCBENCH_CMD_JOIN,	/* IPCBENCH_ATTR_COOKIE */
	IPCBENCH_CMD_SEND,	/* IPCBENCH_ATTR_DATA */
	IPCBENCH_CMD_DATA,	/* IPCBENCH_ATTR_DATA, from the kernel */
};

enum {
	IPCBENCH_ATTR_UNSPEC,
	IPCBENCH_ATTR_COOKIE,	/* u64 */
	IPCBENCH_ATTR_DATA,	/* bytes */
	IPCBENCH_ATTR_MAX = IPCBENCH_ATTR_DATA,
};

#endif
