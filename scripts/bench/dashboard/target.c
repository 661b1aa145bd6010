// A process of N threads, a third of which work ten times a second and the others once.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void *work(void *argument) {
  long number = (long)argument;
  char name[16];
  snprintf(name, sizeof name, "worker-%ld", number);
  pthread_setname_np(pthread_self(), name);
  struct timespec pause_time = {0, number % 3 == 0 ? 100000000 : 930000000};
  unsigned value = (unsigned)number;
  for (;;) {
    for (int i = 0; i < 20000; i++) value = value * 1103515245 + 12345;
    nanosleep(&pause_time, 0);
  }
  return (void *)(long)value;
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 199;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  for (long i = 0; i < threads; i++) {
    pthread_t thread;
    pthread_create(&thread, &attributes, work, (void *)i);
  }
  pause();
}
