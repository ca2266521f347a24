#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "viewer/session.h"

/// A session of a reader on a case of two time points, without a window.
namespace retromass::viewer {

inline const VolumeGeometry kGrid = VolumeGeometry::axial({100, 100, 20}, 1, 1, 5);

inline Scene two_timepoints()
{
    Scene scene;
    scene.case_id = "RPS-001";
    for (const char* id : {"before", "after"}) {
        TimepointView timepoint;
        timepoint.id = id;
        timepoint.ct = std::make_shared<CtVolume>(CtVolume{kGrid, Grid<std::int16_t>(kGrid.size())});
        timepoint.lesions = {LesionView{.lesion = "T1"}, LesionView{.lesion = "T2"}};
        timepoint.response = id == std::string("before") ? "baseline" : "SD -5.0 %";
        scene.timepoints.push_back(timepoint);
    }
    return scene;
}

/// A case that answers at once, or when it is let go, and remembers what it was asked.
struct Desk {
    std::atomic<bool> held = false;
    std::vector<Change> asked;
    std::vector<Change> taken;
    std::vector<std::string> reasons;
    std::string refuses;

    Callbacks callbacks(const std::string& reader = "R1")
    {
        Callbacks out;
        out.reader = reader;
        out.outcome = [this](const Change& change, const Progress& progress) -> Result<Outcome> {
            while (held) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            if (!goes_on(progress, "segmenting", 0.5)) return Error{Code::cancelled, "stopped", "test"};
            asked.push_back(change);
            if (!refuses.empty()) return Error{Code::prompt_in_air, refuses, "test"};
            Outcome made;
            for (const auto& timepoint : two_timepoints().timepoints) made.lesions.push_back(timepoint.lesions);
            auto& lesion = made.lesions[change.timepoint][change.lesion];
            lesion.mask = std::make_shared<Mask>(kGrid.size());
            lesion.measurements.emplace();
            lesion.measurements->long_axis.recorded = Length::mm(static_cast<int>(asked.size()));
            made.responses = {"baseline", "PR -40.0 %"};
            return made;
        };
        out.take = [this](const Change& change) -> Result<std::string> {
            taken.push_back(change);
            return std::string("written");
        };
        out.review = [this](std::size_t, std::size_t, Decision, const std::string& reason) -> Status {
            reasons.push_back(reason);
            return Done{};
        };
        return out;
    }
};

class ASession : public testing::Test {
protected:
    void drag(Plane plane, PatientPoint from, PatientPoint to)
    {
        session().press(plane, from);
        session().drag(to);
        session().release();
    }
    /// Until nothing is made any more.
    void wait()
    {
        while (session().working()) {
            session().tick();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    Session& session()
    {
        if (!session_) session_ = std::make_unique<Session>(two_timepoints(), first_view(two_timepoints()).value(), desk_.callbacks(reader_));
        return *session_;
    }
    const LesionView& lesion(std::size_t timepoint, std::size_t which = 0) { return session().scene().timepoints[timepoint].lesions[which]; }

    Desk desk_;
    std::string reader_ = "R1";
    std::unique_ptr<Session> session_;
};

}  // namespace retromass::viewer
