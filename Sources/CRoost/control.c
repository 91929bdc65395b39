#include "roost_control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(sizeof(roost_message) == 200, "both ends agree on the size of a message");

roost_pair roost_control_pair(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return (roost_pair){-errno, -1, -1};
  /* Room for a burst of forks; the privileged form first, because the plain one is capped by the system. */
  int room = 1 << 20;
  for (int i = 0; i < 2; i++)
    if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
      (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return (roost_pair){0, pair[0], pair[1]};
}

typedef union {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int) * ROOST_DESCRIPTORS_MAX)];
} ancillary;

int32_t roost_send(int32_t socket, roost_message message, roost_descriptors descriptors) {
  struct iovec body = {&message, sizeof message};
  ancillary room;
  struct msghdr header = {.msg_iov = &body, .msg_iovlen = 1};
  if (descriptors.count < 0 || descriptors.count > ROOST_DESCRIPTORS_MAX) return -EINVAL;
  if (descriptors.count > 0) {
    size_t size = sizeof(int) * (size_t)descriptors.count;
    memset(&room, 0, sizeof room);
    header.msg_control = &room;
    header.msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(rights), descriptors.at, size);
  }
  ssize_t sent;
  do sent = sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

int32_t roost_wait_writable(int32_t socket) {
  struct pollfd wanted = {socket, POLLOUT, 0};
  int count;
  do count = poll(&wanted, 1, -1);
  while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  return wanted.revents & (POLLERR | POLLHUP) ? -EPIPE : 0;
}

static void close_all(roost_descriptors *descriptors) {
  for (int i = 0; i < descriptors->count; i++) close(descriptors->at[i]);
  descriptors->count = 0;
}

roost_received roost_receive(int32_t socket, int32_t may_wait) {
  roost_received result;
  memset(&result, 0, sizeof result);
  struct iovec body = {&result.message, sizeof result.message};
  ancillary room;
  struct msghdr header = {
      .msg_iov = &body, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};
  ssize_t size;
  do size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (may_wait ? 0 : MSG_DONTWAIT));
  while (size < 0 && errno == EINTR);
  if (size < 0) {
    result.status = errno == ECONNRESET ? 0 : -errno;
    return result;
  }
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part != NULL; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof descriptor);
      if (result.descriptors.count < ROOST_DESCRIPTORS_MAX)
        result.descriptors.at[result.descriptors.count++] = descriptor;
      else
        close(descriptor);
    }
  }
  if (size == 0) result.status = 0;
  else if ((header.msg_flags & MSG_TRUNC) || size != (ssize_t)sizeof result.message) result.status = -EPROTO;
  /* At the descriptor limit the call succeeds and the descriptors are gone. */
  else if (header.msg_flags & MSG_CTRUNC) result.status = -EMFILE;
  else result.status = 1;
  if (result.status != 1) close_all(&result.descriptors);
  return result;
}

roost_message roost_message_with_text(uint32_t kind, const char *text) {
  roost_message message;
  memset(&message, 0, sizeof message);
  message.kind = kind;
  strncpy(message.text, text, sizeof message.text - 1);
  return message;
}
