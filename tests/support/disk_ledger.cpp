// Laid before the program (LD_PRELOAD): writes down in the file RETROMASS_DISK_LEDGER, in their order, what is brought to the disk and what is renamed.
// RETROMASS_DISK_KILL: the program is killed as soon as it has given a file a name that holds this text.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

void note(const std::string& line)
{
    const char* file = std::getenv("RETROMASS_DISK_LEDGER");
    const int fd = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (fd < 0) return;
    [[maybe_unused]] const auto written = write(fd, (line + '\n').c_str(), line.size() + 1);
    close(fd);
}

std::string absolute(const char* path)
{
    char here[4096];
    return path[0] == '/' || !getcwd(here, sizeof here) ? std::string(path) : std::string(here) + "/" + path;
}

}  // namespace

extern "C" int fsync(int fd)
{
    static const auto real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
    char path[4096];
    const auto length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
    const int done = real(fd);
    if (length > 0 && done == 0) note("fsync\t" + std::string(path, static_cast<std::size_t>(length)));
    return done;
}

extern "C" int rename(const char* from, const char* to)
{
    static const auto real = reinterpret_cast<int (*)(const char*, const char*)>(dlsym(RTLD_NEXT, "rename"));
    const int done = real(from, to);
    if (done == 0) note("rename\t" + absolute(from) + "\t" + absolute(to));
    const char* last = std::getenv("RETROMASS_DISK_KILL");
    if (done == 0 && last && std::string(to).find(last) != std::string::npos) kill(getpid(), SIGKILL);
    return done;
}
