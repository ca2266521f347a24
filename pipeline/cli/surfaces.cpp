#include "pipeline/cli/surfaces.h"

#ifndef RETROMASS_WITH_VIEWER

namespace retromass::cli {

Status draw_surfaces(const outputs::CaseResult&, const std::vector<outputs::SurfaceFile>&) { return Error{Code::no_display, "this program was built without the viewer, which draws them", "cli"}; }

}  // namespace retromass::cli

#else

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "viewer/view.h"

namespace retromass::cli {
namespace {

constexpr std::chrono::seconds kLongest{120};         // a dozen pictures take seconds
constexpr std::chrono::seconds kLongestStart{20};     // of the virtual display

/// The result as the viewer's scene; it borrows the volumes and masks.
viewer::Scene scene_of(const outputs::CaseResult& result)
{
    viewer::Scene scene;
    scene.case_id = result.case_id;
    scene.synthetic = result.synthetic;
    for (const auto& timepoint : result.timepoints) {
        auto& view = scene.timepoints.emplace_back();
        view.id = timepoint.id;
        if (timepoint.ct) view.ct = {std::shared_ptr<const CtVolume>(), &timepoint.ct->volume};
        for (const auto& lesion : timepoint.lesions) {
            auto& shown = view.lesions.emplace_back();
            shown.lesion = lesion.lesion;
            shown.review_state = lesion.review_state;
            shown.reader = lesion.reviewer;
            if (lesion.mask) shown.mask = {std::shared_ptr<const Mask>(), &*lesion.mask};
            shown.measurements = lesion.measurements;
        }
    }
    return scene;
}

Status drawn(const outputs::CaseResult& result, const std::vector<outputs::SurfaceFile>& wanted)
{
    const auto scene = scene_of(result);
    std::map<std::string, std::vector<std::filesystem::path>> files;
    for (const auto& surface : wanted) {
        auto& of_lesion = files[surface.lesion];
        of_lesion.resize(result.timepoints.size());
        for (std::size_t t = 0; t < result.timepoints.size(); ++t) {
            if (result.timepoints[t].id == surface.timepoint) of_lesion[t] = surface.file;
        }
    }
    for (const auto& [lesion, of_lesion] : files) RETROMASS_TRY(viewer::render_surfaces(scene, lesion, of_lesion));
    return Done{};
}

/// What can be read until the other end is closed or the time is over.
std::string read_within(int end, std::chrono::seconds longest, char until = '\0')
{
    const auto last = std::chrono::steady_clock::now() + longest;
    std::string out;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(last - std::chrono::steady_clock::now()).count();
        pollfd ready{end, POLLIN, 0};
        const int there = left <= 0 ? 0 : poll(&ready, 1, static_cast<int>(left));
        if (there == 0) return out;
        if (there < 0) continue;  // a signal; the time still runs
        std::array<char, 512> some{};
        const auto count = read(end, some.data(), some.size());
        if (count <= 0) return out;
        out.append(some.data(), static_cast<std::size_t>(count));
        if (until && out.find(until) != std::string::npos) return out;
    }
}

/// Starts a virtual display that ends with this process; its name, e.g. ":7". Empty where there is no Xvfb.
std::string virtual_display(pid_t& server)
{
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return {};
    server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(ends[0]);
        const int nothing = open("/dev/null", O_RDWR);
        for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nothing, stream);
        const auto number = std::to_string(ends[1]);
        execlp("Xvfb", "Xvfb", "-displayfd", number.c_str(), "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset", static_cast<char*>(nullptr));
        _exit(127);
    }
    close(ends[1]);
    auto number = read_within(ends[0], kLongestStart, '\n');
    close(ends[0]);
    if (number.empty() || number.back() != '\n') return {};
    number.pop_back();
    return ":" + number;
}

/// Asks it to go, so that it takes its lock and socket with it; where it does not, it is ended.
void end(pid_t server)
{
    constexpr int kTries = 40;
    constexpr useconds_t kBetween_us = 50000;
    kill(server, SIGTERM);
    for (int i = 0; i < kTries; ++i) {
        if (waitpid(server, nullptr, WNOHANG) != 0) return;
        usleep(kBetween_us);
    }
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
}

/// Software alone, and of that the path that is plain C: what it draws depends neither on a graphics card nor on what the processor can do at once.
void choose_renderer()
{
    for (const auto& [name, value] : {std::pair{"LIBGL_ALWAYS_SOFTWARE", "1"}, {"GALLIUM_DRIVER", "softpipe"}, {"DRAW_USE_LLVM", "0"}, {"__GLX_VENDOR_LIBRARY_NAME", "mesa"}, {"MESA_SHADER_CACHE_DISABLE", "true"}}) setenv(name, value, 1);
    unsetenv("MESA_LOADER_DRIVER_OVERRIDE");
}

/// The whole work of the process that draws; why it failed, empty where it did not.
std::string draw_here(const outputs::CaseResult& result, const std::vector<outputs::SurfaceFile>& wanted)
{
    choose_renderer();
    pid_t server = -1;
    const auto display = virtual_display(server);
    if (!display.empty()) setenv("DISPLAY", display.c_str(), 1);
    std::string why;
    if (display.empty() && !std::getenv("DISPLAY")) {
        why = "there is neither Xvfb (package xvfb) nor a display to draw them on";
    } else if (const auto done = drawn(result, wanted); !done) {
        why = done.error().code == Code::no_display ? "there is no Xvfb (package xvfb), and the display cannot be opened" : done.error().message;
    }
    if (server > 0) end(server);
    return why;
}

}  // namespace

Status draw_surfaces(const outputs::CaseResult& result, const std::vector<outputs::SurfaceFile>& wanted)
{
    const auto failed = [](const std::string& why) { return Error{Code::no_display, why, "cli"}; };
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed("no process could be started to draw them");
    std::cout.flush();  // else a library that ends the other process would print it a second time
    std::fflush(nullptr);
    const pid_t parent = getpid();
    const pid_t artist = fork();
    if (artist < 0) {
        for (const int end : ends) close(end);
        return failed("no process could be started to draw them");
    }
    if (artist == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        for (const int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
        close(ends[0]);
        const auto why = draw_here(result, wanted);
        const auto said = why.empty() ? std::string("drawn") : "not: " + why;
        _exit(write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
    }
    close(ends[1]);
    const auto said = read_within(ends[0], kLongest);
    close(ends[0]);
    if (said.empty()) kill(artist, SIGKILL);
    waitpid(artist, nullptr, 0);
    if (said == "drawn") return Done{};
    return failed(said.starts_with("not: ") ? said.substr(5) : "the process that draws them ended or took too long");
}

}  // namespace retromass::cli

#endif
