/* What Android lets a few programs of the shell user do: run-as, su, and the services behind
 * am, setprop and others. Installed setuid root; where there is one uid only, it stays that. */
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void become(int uid) {
  setgroups(0, NULL);
  if (setgid(uid) || setuid(uid)) { /* a user namespace with one uid */ }
}

static int app_uid(const char *package) {
  char path[512]; int uid = -1; FILE *file;
  snprintf(path, sizeof path, "/data/app/%s/uid", package);
  if ((file = fopen(path, "r"))) { if (fscanf(file, "%d", &uid) != 1) uid = -1; fclose(file); }
  return uid;
}

int main(int argc, char **argv) {
  const char *name = basename(argv[0]);
  char path[512];
  if (!strcmp(name, "run-as")) {
    if (argc < 2) return 1;
    int uid = app_uid(argv[1]);
    if (uid < 0) { fprintf(stderr, "run-as: unknown package: %s\n", argv[1]); return 1; }
    snprintf(path, sizeof path, "/data/app/%s/debuggable", argv[1]);
    if (access(path, F_OK)) {
      fprintf(stderr, "run-as: package not debuggable: %s\n", argv[1]); return 1;
    }
    become(uid);
    snprintf(path, sizeof path, "/data/data/%s", argv[1]);
    if (chdir(path)) { perror("run-as: couldn't chdir"); return 1; }
    if (argc == 2) return execl("/system/bin/sh", "sh", NULL);
    execvp(argv[2], argv + 2);
    fprintf(stderr, "run-as: exec failed for %s\n", argv[2]);
    return 1;
  }
  if (!strcmp(name, "as-uid")) { /* for zygote: only root may */
    if (getuid() != 0 || argc < 3) return 1;
    become(atoi(argv[1]));
    execvp(argv[2], argv + 2);
    return 1;
  }
  snprintf(path, sizeof path, "%d", getuid());
  setenv("CALLER", path, 1);
  become(0);
  if (!strcmp(name, "su")) {
    if (!access("/data/misc/su-denies", F_OK)) { /* a root manager that was told no */
      fprintf(stderr, "Permission denied\n"); return 13;
    }
    if (!access("/data/misc/su-aosp", F_OK)) { /* AOSP's: su [UID [COMMAND...]] */
      if (argc < 2 || strspn(argv[1], "0123456789") != strlen(argv[1])) {
        fprintf(stderr, "su: invalid uid/gid '%s'\n", argc < 2 ? "" : argv[1]); return 1;
      }
      become(atoi(argv[1]));
      if (argc > 2) execvp(argv[2], argv + 2);
      return 1;
    }
    if (argc == 3 && !strcmp(argv[1], "-c")) /* Magisk's: su -c COMMAND */
      return execl("/system/bin/sh", "sh", "-c", argv[2], NULL);
    fprintf(stderr, "su: only -c is known here\n");
    return 1;
  }
  snprintf(path, sizeof path, "/system/framework/%s.sh", name);
  char **words = calloc(argc + 2, sizeof *words);
  words[0] = "sh"; words[1] = path;
  for (int i = 1; i < argc; i++) words[i + 1] = argv[i];
  execv("/system/bin/sh", words);
  return 1;
}
