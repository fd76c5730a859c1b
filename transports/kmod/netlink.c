// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: a family whose sockets speak for sessions. Only who may
 * open the device can get a cookie, and only who has the socket can join with
 * it; so no message reaches a socket whose owner hasn't asked for it.
 */
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "ipcbench.h"

static LIST_HEAD(bound);		/* sessions that have a cookie */
static DEFINE_MUTEX(bound_lock);	/* and the channels' ports */

static struct genl_family family;

/* The session's cookie, which is made when it is first asked for. */
long ipcbench_cookie(struct ipcbench_session *session, u64 *cookie)
{
	if (session->channel->kind != IPCBENCH_NETLINK)
		return -EOPNOTSUPP;
	if (session->side > IPCBENCH_CONSUMER)
		return -EBADF;
	mutex_lock(&bound_lock);
	while (!session->cookie)
		session->cookie = get_random_u64();
	if (list_empty(&session->bound))
		list_add(&session->bound, &bound);
	*cookie = session->cookie;
	mutex_unlock(&bound_lock);
	return 0;
}

void ipcbench_netlink_forget(struct ipcbench_session *session)
{
	if (list_empty(&session->bound))
		return;
	mutex_lock(&bound_lock);
	list_del_init(&session->bound);
	session->channel->ports[session->side].number = 0;
	mutex_unlock(&bound_lock);
}

/* The session that a socket speaks for, or NULL. */
static struct ipcbench_session *session_of(const struct net *net, u32 number)
{
	struct ipcbench_session *session;
	const struct ipcbench_port *port;

	lockdep_assert_held(&bound_lock);
	list_for_each_entry(session, &bound, bound) {
		port = &session->channel->ports[session->side];
		if (port->net == net && port->number == number)
			return session;
	}
	return NULL;
}

static int join(struct sk_buff *request, struct genl_info *info)
{
	struct ipcbench_session *session;
	int error = -ENOENT;
	u64 cookie;

	if (!info->attrs[IPCBENCH_ATTR_COOKIE])
		return -EINVAL;
	cookie = nla_get_u64(info->attrs[IPCBENCH_ATTR_COOKIE]);
	mutex_lock(&bound_lock);
	if (session_of(genl_info_net(info), info->snd_portid))
		error = -EISCONN;
	list_for_each_entry(session, &bound, bound) {
		if (error == -EISCONN || session->cookie != cookie)
			continue;
		session->channel->ports[session->side].net = genl_info_net(info);
		session->channel->ports[session->side].number = info->snd_portid;
		error = 0;
		break;
	}
	mutex_unlock(&bound_lock);
	return error;
}

static struct sk_buff *message_of(u32 number, u32 sequence, const struct nlattr *data)
{
	/* A large one may not be had: that is no cause for alarm. */
	struct sk_buff *message = genlmsg_new(nla_total_size(nla_len(data)),
					      GFP_KERNEL | __GFP_NOWARN);
	void *header;

	if (!message)
		return NULL;
	header = genlmsg_put(message, number, sequence, &family, 0, IPCBENCH_CMD_DATA);
	if (!header || nla_put(message, IPCBENCH_ATTR_DATA, nla_len(data), nla_data(data))) {
		nlmsg_free(message);
		return NULL;
	}
	genlmsg_end(message, header);
	return message;
}

static int send_to(struct net *net, u32 number, u32 sequence, const struct nlattr *data)
{
	struct sk_buff *message = message_of(number, sequence, data);

	return message ? genlmsg_unicast(net, message, number) : -ENOMEM;
}

static int pass_on(struct ipcbench_session *session, struct genl_info *info,
		   const struct nlattr *data)
{
	struct ipcbench_channel *channel = session->channel;
	const struct ipcbench_port *port = &channel->ports[ipcbench_other(session->side)];

	switch (channel->peer) {
	case IPCBENCH_ECHO:
		return send_to(genl_info_net(info), info->snd_portid, info->snd_seq, data);
	case IPCBENCH_SINK:
		ipcbench_sink(channel, nla_data(data), nla_len(data));
		return 0;
	case IPCBENCH_PROCESS:
		/* The socket and with it its network are alive: see forget_socket. */
		if (port->number == 0)
			return ipcbench_is_alone(channel, session->side) ? -EPIPE : -ENOTCONN;
		if (port->net != genl_info_net(info))
			return -EXDEV;
		return send_to(genl_info_net(info), port->number, info->snd_seq, data);
	default:
		return -EOPNOTSUPP;
	}
}

static int send(struct sk_buff *request, struct genl_info *info)
{
	const struct nlattr *data = info->attrs[IPCBENCH_ATTR_DATA];
	struct ipcbench_session *session;
	int error = -ENOTCONN;

	if (!data || nla_len(data) == 0)
		return -EINVAL;
	mutex_lock(&bound_lock);
	session = session_of(genl_info_net(info), info->snd_portid);
	if (session)
		error = nla_len(data) > session->channel->size_max ? -EMSGSIZE :
			pass_on(session, info, data);
	mutex_unlock(&bound_lock);
	return error;
}

static const struct nla_policy policy[IPCBENCH_ATTR_MAX + 1] = {
	[IPCBENCH_ATTR_COOKIE] = { .type = NLA_U64 },
	[IPCBENCH_ATTR_DATA] = { .type = NLA_BINARY, .len = IPCBENCH_NETLINK_MAX },
};

static const struct genl_ops operations[] = {
	{ .cmd = IPCBENCH_CMD_JOIN, .doit = join },
	{ .cmd = IPCBENCH_CMD_SEND, .doit = send },
};

static struct genl_family family __ro_after_init = {
	.module = THIS_MODULE,
	.name = IPCBENCH_FAMILY,
	.version = IPCBENCH_FAMILY_VERSION,
	.maxattr = IPCBENCH_ATTR_MAX,
	.policy = policy,
	.ops = operations,
	.n_ops = ARRAY_SIZE(operations),
	.netnsok = true,
	.parallel_ops = true,
};

/* A socket that is closed speaks for nobody: its number may be given to another. */
static int forget_socket(struct notifier_block *block, unsigned long event, void *what)
{
	const struct netlink_notify *notify = what;
	struct ipcbench_session *session;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	mutex_lock(&bound_lock);
	session = session_of(notify->net, notify->portid);
	if (session)
		session->channel->ports[session->side].number = 0;
	mutex_unlock(&bound_lock);
	return NOTIFY_DONE;
}

static struct notifier_block closed_sockets = { .notifier_call = forget_socket };

int ipcbench_netlink_init(void)
{
	int error = netlink_register_notifier(&closed_sockets);

	if (error)
		return error;
	error = genl_register_family(&family);
	if (error)
		netlink_unregister_notifier(&closed_sockets);
	return error;
}

void ipcbench_netlink_exit(void)
{
	genl_unregister_family(&family);
	netlink_unregister_notifier(&closed_sockets);
}
