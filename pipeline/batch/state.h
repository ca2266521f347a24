#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "pipeline/batch/batch.h"

namespace retromass::batch {

inline constexpr const char* kSettingsOfPlan = "settings.yaml";  ///< in the plan's folder: the copy of the settings file of all cases
inline constexpr const char* kProtocolOfPlan = "protocol.yaml";  ///< the copy of the protocol that all cases are under

/// A claim on a case: an exclusive lock on its lock file, held by whoever has the descriptor open - a worker inherits it, so that the claim
/// lasts as long as runner or worker lives and ends with both, however they end. Released when destroyed.
class Claim {
public:
    /// Empty if somebody else holds it. Fails with io where the file system cannot lock.
    static Result<std::optional<Claim>> take(const Plan& plan, const PlannedCase& planned);
    Claim(Claim&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Claim& operator=(Claim&&) = delete;
    ~Claim();
    int descriptor() const { return fd_; }
    /// Who works under the claim, by process id: whoever claims the case next knows what they may have left.
    Status note_processes(const std::vector<pid_t>& processes) const;
    /// One more, beside those who did before it.
    Status add_process(pid_t process) const;
    struct Process {
        std::string host;  ///< empty = nobody said
        std::string id;
    };
    /// Who did since the claim was last begun anew; empty where nobody said.
    std::vector<Process> processes() const;

private:
    explicit Claim(int fd) : fd_(fd) {}
    std::string text() const;
    int fd_ = -1;
};

/// What makes a result valid: SHA-256 of the case file, the arguments, the program's version, and path, size and time of change of every file
/// the case file names. Fails where the case file cannot be read.
Result<std::string> key_of(const Plan& plan, const PlannedCase& planned);

/// The same with each file's SHA-256 instead of its size and time: reads them all.
Result<std::string> contents_of(const Plan& plan, const PlannedCase& planned);
/// What a run is made of.
struct Inputs {
    std::string key;
    std::string contents;  ///< empty = not known
};
Result<Inputs> inputs_now(const Plan& plan, const PlannedCase& planned);

/// Whether each version of a protocol is one set of rules in the plan, and in the case files and results of these cases (empty = all). Fails with
/// output_exists, naming where.
Status check_protocols(const Plan& plan, const std::vector<std::string>& only);

/// Why the case cannot be run as it is: the draft left something out and nobody changed it since, or no lesion has a prompt, a mask or a status.
/// Empty if it can.
Result<std::string> waits_for(const PlannedCase& planned);

/// What a run of the case needs, by the headers of what its file names; 0 = not known.
double memory_needed(const Plan& plan, const PlannedCase& planned);
/// As planned, or more where the case file was edited since and names more.
double memory_now(const Plan& plan, const PlannedCase& planned);

std::filesystem::path result_folder(const Plan& plan, const PlannedCase& planned);
/// Whether a whole result of this case is there: one of which a file was cut, overwritten or removed is none.
bool has_result(const Plan& plan, const PlannedCase& planned, outputs::Depth depth);
/// Why there is none, as a sentence about the case; empty where there is one.
std::string why_no_result(const Plan& plan, const PlannedCase& planned, outputs::Depth depth);
std::filesystem::path log_file(const Plan& plan, const PlannedCase& planned);

/// As `state_of`; the one who holds the claim asks what the case would be without it.
CaseState state_of(const Plan& plan, const PlannedCase& planned, outputs::Depth depth, bool claimed_by_us);

/// Which run the result is of: its log's last `case-written`, alike for no two runs of a case. Empty where there is no whole result.
std::string run_of_result(const Plan& plan, const PlannedCase& planned);

/// Writes down that a run begins on inputs of this key. Where its runner is killed, the result tells whether it came to its end; `state_of` then says so.
/// Only attempts that came to an end count.
Status record_begin(const Plan& plan, const PlannedCase& planned, const CaseState& state, const std::string& key);

/// Whether the result is of inputs that have the same content now, though not the same times.
bool only_touched(const Plan& plan, const PlannedCase& planned, const Inputs& now);
/// Then it counts for them as they are, and so does a reader's decision on it.
Status record_touched(const Plan& plan, const PlannedCase& planned, const Inputs& now);

/// Whether a run began of which no runner wrote down the end.
bool left_open(const Plan& plan, const PlannedCase& planned);

/// Writes down how a run ended, on which inputs.
Status record(const Plan& plan, const PlannedCase& planned, const CaseState& state, const Inputs& inputs);

/// A reader's decision on a case; of no effect once the inputs have another key.
struct Decision {
    std::string decision;              ///< accept | reject | needs-prompt
    std::string reader;
    std::string time;                  ///< ISO 8601
    std::string note;
    std::string key;                   ///< of the inputs of what was looked at
};
Status record(const Plan& plan, const PlannedCase& planned, const Decision& decision);
/// The last decision on the case that still holds.
std::optional<Decision> decision_on(const Plan& plan, const PlannedCase& planned, const std::string& key);
/// SHA-256 of the plan's file.
std::string plan_hash(const Plan& plan);
/// What a reader looks at: SHA-256 of the figures of a result, or of why there is none.
std::string review_hash(const Plan& plan, const PlannedCase& planned, const CaseState& state);

}  // namespace retromass::batch
