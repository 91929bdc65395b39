#include "roost_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void roost_futex_sleep(uint32_t *word, int64_t timeout_ns) {
  struct timespec limit = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  syscall(SYS_futex, word, FUTEX_WAIT, 1, timeout_ns < 0 ? NULL : &limit, NULL, 0);
}

void roost_futex_wake(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0); }

static int map_part(uint8_t *at, uint64_t size, int memory, uint64_t offset) {
  return mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, (off_t)offset) == at ? 0 : -1;
}

void *roost_channel_map(int memory, uint64_t ring_bytes) {
  const uint64_t page = ROOST_CHANNEL_PAGE, total = page + 4 * ring_bytes;
  uint8_t *base = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return NULL;
  /* The file is page, requests, replies. Each ring follows itself; neighbours in the file share a mapping. */
  if (map_part(base, page + ring_bytes, memory, 0) != 0 ||
      map_part(base + page + ring_bytes, 2 * ring_bytes, memory, page) != 0 ||
      map_part(base + page + 3 * ring_bytes, ring_bytes, memory, page + ring_bytes) != 0) {
    int reason = errno;
    munmap(base, total);
    errno = reason;
    return NULL;
  }
  return base;
}

int roost_sealed_memory(const char *name, uint64_t size) {
  int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) return -1;
  if (ftruncate(memory, (off_t)size) != 0 || fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    int reason = errno;
    close(memory);
    errno = reason;
    return -1;
  }
  return memory;
}

int roost_seal_writes(int memory) { return fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL); }

int roost_take_back(int memory) {
  struct stat status;
  if (fstat(memory, &status) != 0) return -1;
  /* To the end of the last page: of one that is only a part of a hole nothing is given back. */
  const off_t size = status.st_size | (ROOST_CHANNEL_PAGE - 1);
  if (fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size + 1) != 0 ||
      roost_seal_writes(memory) != 0 || fstat(memory, &status) != 0)
    return -1;
  errno = EBUSY; /* written to between the hole and the seal */
  return status.st_blocks == 0 ? 0 : -1;
}

int roost_seal_new_writers(int memory) { return fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL); }

int roost_send_descriptor(int socket, int descriptor, int kind) {
  char byte = (char)kind;
  struct iovec data = {&byte, 1};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -1;
}

roost_file roost_receive_descriptor(int socket) {
  char byte = 0;
  struct iovec data = {&byte, 1};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
  ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0) return (roost_file){-1, 0};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int))) {
    errno = EPROTO;
    return (roost_file){-1, 0};
  }
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
  return (roost_file){descriptor, byte};
}

int roost_doorbell(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int roost_socket_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }

void roost_ring(int doorbell) {
  uint64_t one = 1;
  ssize_t written = write(doorbell, &one, sizeof one);
  (void)written; /* a full counter means that a wake-up is already on its way */
}

int roost_doorbells(void) { return epoll_create1(EPOLL_CLOEXEC); }

int roost_doorbells_add(int doorbells, int doorbell, uint32_t tag) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = tag};
  return epoll_ctl(doorbells, EPOLL_CTL_ADD, doorbell, &event);
}

int roost_doorbells_remove(int doorbells, int doorbell) { return epoll_ctl(doorbells, EPOLL_CTL_DEL, doorbell, NULL); }

int roost_doorbells_take(int doorbells, uint32_t *tags, int capacity) {
  struct epoll_event events[64];
  int count = epoll_wait(doorbells, events, capacity < 64 ? capacity : 64, 0);
  for (int i = 0; i < count; i++) tags[i] = events[i].data.u32;
  return count < 0 ? 0 : count;
}
