#include "pipeline/pacs/pacs.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <list>
#include <map>
#include <set>
#include <utility>

#include "core/sanitized.h"
#include "pipeline/pacs/node_association.h"
#include "pipeline/pacs/query.h"
#include "pipeline/pacs/spool.h"

namespace retromass::pacs {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr int kBacklog = 64;              // connections the system keeps until they are accepted
constexpr auto kBetween = seconds(30);    // from one look at what else there is to do to the next
constexpr int kTick = 200;                // ms between looks at the clock
constexpr auto kFarewell = std::chrono::milliseconds(1000);  // for a task to clean up when the node stops
constexpr rlim_t kAssociationMemory = rlim_t{4} << 30;       // address space: a damaged object must not take the machine's memory
enum TaskExit { success = 0, failure = 3, again = 75, stopped = 76 };

/// What a process tells the node, first character of a message; the node answers the first two.
enum Message : char { may_associate = 'A', how_much_room = 'R', arriving = 'S', stored = 'B' };

volatile std::sig_atomic_t task_is_to_stop = 0;

/// Tells the whole group of the task once, itself included.
void on_stop(int)
{
    if (task_is_to_stop) return;
    task_is_to_stop = 1;
    ::kill(0, SIGTERM);
}

class Handle {
public:
    explicit Handle(int handle = -1) : handle_(handle) {}
    ~Handle() { close(); }
    Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
    Handle& operator=(Handle&& other) noexcept
    {
        std::swap(handle_, other.handle_);
        return *this;
    }
    int value() const { return handle_; }
    void close()
    {
        if (handle_ >= 0) ::close(handle_);
        handle_ = -1;
    }

private:
    int handle_;
};

struct Connection {
    pid_t process = 0;
    Handle line;
    Clock::time_point since;
    bool associated = false;
    bool evicted = false;
    std::set<std::string> studies;   ///< it brought objects of
};

struct OpenStudy {
    Clock::time_point last;          ///< when its last object came
    int waits = 0;
};

struct Task {
    pid_t process = 0;
    Clock::time_point since;
    std::string study_uid;
    int waits = 0;
    Spool::Content content;
};

Result<Handle> listening_socket(const std::string& host, int port)
{
    const auto where = host + " port " + std::to_string(port);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    if (const int fault = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); fault != 0) {
        return Error{Code::usage, "cannot listen on " + where + ": " + ::gai_strerror(fault) + "; --host takes an address of this machine", "pacs: listen"};
    }
    Handle out(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    ::setsockopt(out.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool bound = ::bind(out.value(), found->ai_addr, found->ai_addrlen) == 0 && ::listen(out.value(), kBacklog) == 0;
    const int why = errno;
    ::freeaddrinfo(found);
    if (!bound) return Error{Code::io, "cannot listen on " + where + ": " + std::strerror(why), "pacs: listen"};
    return out;
}

void limit(int resource, rlim_t most)
{
    if (resource == RLIMIT_AS && kShadowMemory) return;
    rlimit now{};
    ::getrlimit(static_cast<__rlimit_resource>(resource), &now);
    now.rlim_cur = std::min(most, now.rlim_max);
    ::setrlimit(static_cast<__rlimit_resource>(resource), &now);
}

std::string ask(int line, char what)
{
    std::array<char, 32> answer{};
    if (::send(line, &what, 1, MSG_NOSIGNAL) != 1) return {};
    const auto got = ::recv(line, answer.data(), answer.size(), 0);
    return got > 0 ? std::string(answer.data(), static_cast<std::size_t>(got)) : std::string();
}

void tell(int line, char what, const std::string& text)
{
    const auto message = what + text;
    (void)!::send(line, message.data(), message.size(), MSG_NOSIGNAL);
}

class Node {
public:
    Node(const ListenParameters& parameters, const NodeTasks& tasks, const Log& log, Spool spool, Handle socket)
        : parameters_(parameters), tasks_(tasks), log_(log), spool_(std::move(spool)), socket_(std::move(socket)), bytes_(spool_.bytes())
    {
        sigset_t watched;
        sigemptyset(&watched);
        for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&watched, signal);
        ::sigprocmask(SIG_BLOCK, &watched, &mask_before_);
        signals_ = Handle(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
        for (const auto& study : spool_.studies()) {
            if (is_uid(study) && !spool_.handled(study)) open_[study].last = Clock::now();
        }
    }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node() { ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr); }

    ListenReport run()
    {
        if (!open_.empty()) log_(std::to_string(open_.size()) + " studies received before are taken up");
        while (!stop_) {
            wait();
            start_what_is_complete();
            start_what_is_between();
            end_what_takes_too_long();
        }
        take_leave();
        return report_;
    }

private:
    void wait()
    {
        std::vector<pollfd> handles{{signals_.value(), POLLIN, 0}, {socket_.value(), POLLIN, 0}};
        std::vector<std::list<Connection>::iterator> on_line;
        for (auto it = connections_.begin(); it != connections_.end(); ++it) {
            if (it->line.value() < 0) continue;
            handles.push_back({it->line.value(), POLLIN, 0});
            on_line.push_back(it);
        }
        if (::poll(handles.data(), handles.size(), kTick) <= 0) return;
        for (std::size_t i = 0; i < on_line.size(); ++i) {
            if (handles[i + 2].revents) hear(*on_line[i]);
        }
        if (handles[0].revents) take_signals();
        if (handles[1].revents && !stop_) accept_one();
    }

    /// Takes what the process says, and answers.
    void hear(Connection& connection)
    {
        for (std::array<char, 128> text{}; connection.line.value() >= 0;) {
            const auto size = ::recv(connection.line.value(), text.data(), text.size(), MSG_DONTWAIT);
            if (size < 0) return;
            if (size == 0) {
                connection.line.close();
                return;
            }
            const std::string rest(text.data() + 1, static_cast<std::size_t>(size) - 1);
            std::string answer;
            switch (text[0]) {
            case may_associate:
                connection.associated = std::count_if(connections_.begin(), connections_.end(), [](const auto& c) { return c.associated; }) < parameters_.most_associations;
                answer = connection.associated ? "yes" : "no";
                break;
            case how_much_room: answer = std::to_string(parameters_.spool_quota > bytes_ ? parameters_.spool_quota - bytes_ : 0); break;
            case arriving:
                connection.studies.insert(rest);
                open_[rest].last = Clock::now();
                open_[rest].waits = 0;
                break;
            case stored: bytes_ += std::strtoull(rest.c_str(), nullptr, 10); break;
            default: break;
            }
            if (!answer.empty()) (void)!::send(connection.line.value(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }

    void take_signals()
    {
        for (signalfd_siginfo signal{}; ::read(signals_.value(), &signal, sizeof signal) == sizeof signal;) {
            if (signal.ssi_signo != SIGCHLD) stop_ = true;
        }
        reap();
    }

    void reap()
    {
        int status = 0;
        for (pid_t process = 0; (process = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (process == running_.process) {
                task_ended(status);
                continue;
            }
            const auto ended = std::find_if(connections_.begin(), connections_.end(), [&](const auto& c) { return c.process == process; });
            if (ended == connections_.end()) continue;
            hear(*ended);
            spool_.drop_incoming(process);
            if (WIFSIGNALED(status) && !ended->evicted && !stop_) {
                log_(WTERMSIG(status) == SIGALRM ? std::string(ended->associated ? "association" : "connection") + " cut off: out of time"
                                                 : "association ended by signal " + std::to_string(WTERMSIG(status)) + "; what was acknowledged is kept");
            }
            for (const auto& study : ended->studies) {  // quiet begins when nobody is sending any more
                if (const auto it = open_.find(study); it != open_.end()) it->second.last = Clock::now();
            }
            connections_.erase(ended);
        }
    }

    void accept_one()
    {
        Handle peer(::accept4(socket_.value(), nullptr, nullptr, SOCK_CLOEXEC));
        if (peer.value() < 0) return;
        make_way();
        std::array<int, 2> line{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line.data()) != 0) return;
        Handle ours(line[0]), theirs(line[1]);
        const auto process = fork_child();
        if (process == 0) serve(peer, theirs);
        if (process < 0) return log_("a connection could not be served: " + std::string(std::strerror(errno)));
        connections_.push_back({process, std::move(ours), Clock::now(), false, false, {}});
    }

    /// Peers negotiate in milliseconds: where many have connected and said nothing, the oldest of them goes.
    void make_way()
    {
        const auto silent = [](const Connection& c) { return !c.associated && !c.evicted; };
        if (std::count_if(connections_.begin(), connections_.end(), silent) < parameters_.most_connections) return;
        const auto oldest = std::find_if(connections_.begin(), connections_.end(), silent);
        oldest->evicted = true;
        ::kill(oldest->process, SIGKILL);
        if (Clock::now() - last_eviction_said_ > seconds(10)) log_("more than " + std::to_string(parameters_.most_connections) + " connections without an association: the oldest make way");
        last_eviction_said_ = Clock::now();
    }

    /// As fork; the child has default signals and dies with the node.
    pid_t fork_child() const
    {
        const auto node = ::getpid();
        const auto process = ::fork();
        if (process != 0) return process;
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != node) ::_exit(stopped);
        ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
        for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) std::signal(signal, SIG_DFL);
        std::signal(SIGPIPE, SIG_IGN);
        limit(RLIMIT_CORE, 0);  // a core file would hold a patient
        return 0;
    }

    /// In a new process: lets go of what is the node's.
    void leave_node()
    {
        spool_.leave_lock();
        socket_.close();
        signals_.close();
        for (auto& other : connections_) other.line.close();
    }

    [[noreturn]] void serve(const Handle& peer, const Handle& line)
    {
        leave_node();
        std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is an error of its write
        limit(RLIMIT_FSIZE, parameters_.largest_object);
        limit(RLIMIT_AS, kAssociationMemory);
        ::alarm(static_cast<unsigned>(parameters_.negotiation_s));
        NodeLine node;
        node.admitted = [&] {
            if (ask(line.value(), may_associate) != "yes") return false;
            ::alarm(static_cast<unsigned>(parameters_.association_s));
            return true;
        };
        node.room = [&] { return std::strtoull(ask(line.value(), how_much_room).c_str(), nullptr, 10); };
        node.arriving = [&](const std::string& study_uid) { tell(line.value(), arriving, study_uid); };
        node.stored = [&](std::uint64_t bytes) { tell(line.value(), stored, std::to_string(bytes)); };
        log_(serve_association(peer.value(), parameters_, spool_, node, log_));
        ::_exit(0);
    }

    void start_what_is_complete()
    {
        if (running_.process || stop_) return;
        const auto now = Clock::now();
        for (auto it = open_.begin(); it != open_.end(); ++it) {
            const auto& [study_uid, study] = *it;
            const auto& uid = study_uid;
            if (now - study.last < seconds(parameters_.quiet_s)) continue;
            if (std::any_of(connections_.begin(), connections_.end(), [&](const auto& c) { return c.studies.count(uid) != 0; })) continue;
            running_ = {0, now, study_uid, study.waits, spool_.content(study_uid)};
            open_.erase(it);
            if (running_.content.objects == 0) return;  // announced, but it never got its place
            running_.process = fork_child();
            if (running_.process == 0) do_task();
            if (running_.process > 0) return;
            running_.process = 0;
            log_("study " + log_key(running_.study_uid) + " cannot be handled now: " + std::strerror(errno));
            open_[running_.study_uid] = {now, running_.waits};
            return;
        }
    }

    void start_what_is_between()
    {
        if (running_.process || stop_ || !tasks_.between || Clock::now() - last_between_ < kBetween) return;
        last_between_ = Clock::now();
        running_ = {0, last_between_, {}, 0, {}};
        running_.process = fork_child();
        if (running_.process == 0) {
            become_task();
            const auto done = tasks_.between();
            if (!done.empty()) log_(done);
            ::_exit(success);
        }
        if (running_.process < 0) running_ = {};
    }

    void become_task()
    {
        ::setpgid(0, 0);
        leave_node();
        std::signal(SIGTERM, on_stop);
        limit(RLIMIT_AS, parameters_.task_memory);
    }

    [[noreturn]] void do_task()
    {
        become_task();
        const auto key = log_key(running_.study_uid);
        log_("study " + key + ": complete with " + std::to_string(running_.content.objects) + " objects");
        const auto outcome = tasks_.study({running_.study_uid, key, spool_.study_folder(running_.study_uid), running_.content.objects, running_.waits});
        if (task_is_to_stop) ::_exit(stopped);
        log_("study " + key + ": " + outcome.text);
        if (outcome.again) ::_exit(again);
        if (const auto noted = spool_.note_handled(running_.study_uid, running_.content, outcome.text); !noted) log_("study " + key + ": " + noted.error().message);
        ::_exit(outcome.success ? success : failure);
    }

    void task_ended(int status)
    {
        const auto ended = std::exchange(running_, {});
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        spool_.drop_incoming(ended.process);
        if (ended.study_uid.empty() || code == stopped || (stop_ && code < 0)) return;
        if (code == again) {
            if (!open_.count(ended.study_uid)) open_[ended.study_uid] = {Clock::now(), ended.waits + 1};
            return;
        }
        if (code != success && code != failure) {
            const auto why = WIFSIGNALED(status) ? "failed: ended by signal " + std::to_string(WTERMSIG(status)) : "failed: ended with code " + std::to_string(code);
            log_("study " + log_key(ended.study_uid) + ": " + why);
            if (const auto noted = spool_.note_handled(ended.study_uid, ended.content, why); !noted) log_(noted.error().message);
        }
        ++report_.handled;
        if (code != success) ++report_.failed;
        if (parameters_.once) stop_ = true;
    }

    void end_what_takes_too_long()
    {
        if (running_.process && Clock::now() - running_.since > seconds(parameters_.task_s)) ::kill(-running_.process, SIGKILL);
    }

    void take_leave()
    {
        socket_.close();
        for (const auto& connection : connections_) ::kill(connection.process, SIGTERM);
        if (running_.process) ::kill(running_.process, SIGTERM);
        const auto until = Clock::now() + kFarewell;
        while ((running_.process || !connections_.empty()) && Clock::now() < until) {
            pollfd signals{signals_.value(), POLLIN, 0};
            ::poll(&signals, 1, kTick);
            take_signals();
        }
        for (const auto& connection : connections_) ::kill(connection.process, SIGKILL);
        if (running_.process) ::kill(-running_.process, SIGKILL);
        while (::waitpid(-1, nullptr, 0) > 0) {}
        for (const auto& connection : connections_) spool_.drop_incoming(connection.process);
    }

    const ListenParameters& parameters_;
    const NodeTasks& tasks_;
    const Log& log_;
    Spool spool_;
    Handle socket_;
    Handle signals_;
    sigset_t mask_before_{};
    std::uint64_t bytes_;
    std::list<Connection> connections_;
    std::map<std::string, OpenStudy> open_;  ///< not handled as they are now
    Task running_;
    Clock::time_point last_eviction_said_{};
    Clock::time_point last_between_{};
    ListenReport report_;
    bool stop_ = false;
};

}  // namespace

Result<ListenReport> listen(const ListenParameters& parameters, const NodeTasks& tasks, const Log& log)
{
    if (parameters.tls) RETROMASS_TRY(check_tls(*parameters.tls));
    RETROMASS_TRY_ASSIGN(auto spool, Spool::open(parameters.spool));
    RETROMASS_TRY_ASSIGN(auto socket, listening_socket(parameters.host, parameters.port));
    log("listening on " + parameters.host + " port " + std::to_string(parameters.port) + " as " + parameters.ae_title);
    if (parameters.callers.empty()) log("no calling AE title is allowed: every association will be refused (--allow AE)");
    return Node(parameters, tasks, log, std::move(spool), std::move(socket)).run();
}

}  // namespace retromass::pacs
