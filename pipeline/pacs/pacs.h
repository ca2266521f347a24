#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/progress.h"
#include "core/result.h"

/// Talks to a PACS: finds, fetches and sends DICOM objects, over DIMSE (C-FIND, C-GET, C-MOVE, C-STORE) or DICOMweb.
///
/// Nothing counts as received before it lies whole on disk, and nothing as sent without a success status of the peer.
namespace retromass::pacs {

/// The value of a variable of the environment, if it is set. The room does not read the environment itself.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Tls {
    std::filesystem::path key;                   ///< our private key (PEM); empty = we show no certificate
    std::filesystem::path certificate;           ///< ours (PEM)
    std::vector<std::filesystem::path> trusted;  ///< certificates of the authorities we believe (PEM)
    bool verify = true;                          ///< false: any certificate of the peer is taken (tests only)
};

struct Timeouts {
    int connect_s = 10;
    int association_s = 30;  ///< the answer to an association request or release
    int message_s = 60;      ///< silence in the middle of a service
};

/// One peer. Either DIMSE (host, port, AE titles) or DICOMweb (url); never both.
struct Profile {
    std::string name;
    std::string host;
    int port = 0;
    std::string called_ae;               ///< the peer's title
    std::string calling_ae = "RETROMASS";  ///< ours
    int move_port = 0;                   ///< where we receive what the peer sends after a C-MOVE; 0 = C-GET only
    int pdu_bytes = 131072;              ///< largest PDU we receive
    std::string url;                     ///< DICOMweb, e.g. https://pacs.example.org/dicom-web; empty = DIMSE
    std::string user;                    ///< HTTP basic
    std::string password;                ///< from the secret the profile names; never printed
    std::optional<Tls> tls;              ///< DIMSE: none = not encrypted; https: none = the system's authorities
    Timeouts timeouts;

    bool web() const { return !url.empty(); }
};

/// The profile of that name in a file of profiles (YAML; docs/stages/pacs.md). An empty name takes the only one.
///
/// Files it names are relative to the profile file. A file that holds a secret must be readable by its owner alone.
/// Fails with pacs-profile; the message says file, line, what was expected and what was found, never a secret.
Result<Profile> read_profile(const std::filesystem::path& file, const std::string& name, const Environment& environment);

enum class Level { patients, studies, series };

/// What to look for. Texts match whole values, `*` and `?` are wildcards (PS3.4 C.2.2.2.4); empty = any.
struct Query {
    Level level = Level::studies;
    std::string patient_id;
    std::string patient_name;
    std::string study_instance_uid;
    std::string accession_number;
    std::string description;  ///< of the study or, at series level, of the series
    std::string modality;     ///< of the series; at study level, studies that hold such a series
    std::optional<Date> from;
    std::optional<Date> to;
};

/// What the peer says of one patient, study or series; what it did not say is empty. Texts are UTF-8.
struct Match {
    std::string patient_id;
    std::string patient_name;
    std::string study_instance_uid;
    std::string study_date;  ///< ISO 8601
    std::string accession_number;
    std::string study_description;
    std::string modalities;  ///< of the study, joined by backslash
    std::string series_instance_uid;
    std::string series_number;
    std::string series_description;
    std::string modality;
    std::optional<int> series;     ///< NumberOfStudyRelatedSeries
    std::optional<int> instances;  ///< NumberOfStudy/SeriesRelatedInstances
};

/// In the order of the peer's answers. Fails with network, peer-refused or pacs-incomplete (the answers broke off).
Result<std::vector<Match>> find(const Profile& profile, const Query& query, const Progress& progress = {});

struct GetRequest {
    std::string study_instance_uid;
    std::string series_instance_uid;  ///< empty = every series of the study
    std::filesystem::path folder;     ///< FOLDER/<series UID>/<SOP instance UID>.dcm
};

/// What came of a retrieval.
struct Retrieval {
    std::size_t listed = 0;    ///< instances the peer says there are
    std::size_t already = 0;   ///< lay in the folder before
    std::size_t received = 0;  ///< whole on disk, now
    std::vector<std::string> missing;  ///< SOP Instance UIDs
    std::size_t unlisted = 0;          ///< how many more the peer counts (NumberOfSeriesRelatedInstances) than it lists
    std::vector<std::string> reasons;  ///< what the peer or the disk said, in words, each once

    bool complete() const { return missing.empty() && unlisted == 0; }
};

/// Lists the instances at the peer, then fetches those that are not in the folder: C-GET, else C-MOVE to our own port, or WADO-RS.
/// Files are written under another name, checked to be what was asked for, and renamed. Transfer syntaxes are kept.
/// Fails with network, peer-refused, or not-at-peer where the peer lists no such study; what came in between stays.
Result<Retrieval> get(const Profile& profile, const GetRequest& request, const Progress& progress = {});

struct SendOptions {
    bool allow_synthetic = false;  ///< objects of a generated patient (Quality Control Image or Subject YES)
    int attempts = 3;              ///< associations in all, where the peer drops them
};

struct Unsent {
    std::filesystem::path file;
    std::string why;  ///< in words, with the DIMSE or HTTP status
};

struct SendReport {
    std::size_t sent = 0;                 ///< the peer answered success or a warning
    std::vector<Unsent> failed;
    std::vector<std::string> warnings;    ///< stored, but coerced or trimmed
    std::vector<std::filesystem::path> set_aside;  ///< not DICOM, below a folder that was named
};

/// Sends files, and the DICOM files below folders, in the encoding they have.
/// Fails with synthetic-patient before anything is sent, with network or peer-refused where no association came about.
Result<SendReport> send(const Profile& profile, const std::vector<std::filesystem::path>& paths, const SendOptions& options, const Progress& progress = {});

/// One line an event; holds no patient name or ID. Must be safe to call in several processes at once.
using Log = std::function<void(const std::string& line)>;

/// A storage node and its bounds. The defaults suit a workstation that receives whole CT studies.
struct ListenParameters {
    std::string host = "127.0.0.1";          ///< address to listen on; loopback unless said otherwise
    int port = 11112;
    std::string ae_title = "RETROMASS";      ///< ours; a peer that calls another one is refused
    std::vector<std::string> callers;        ///< AE titles that may call; nobody else is served
    std::filesystem::path spool;
    int most_associations = 8;               ///< at once
    int most_connections = 64;               ///< at once that have not yet negotiated; the oldest makes way for one more
    long largest_pdu = 131072;               ///< bytes we let the peer send at once (PS3.8 D.1)
    std::uint64_t largest_object = std::uint64_t{2} << 30;
    std::uint64_t spool_quota = std::uint64_t{200} << 30;
    std::uint64_t keep_free = std::uint64_t{2} << 30;  ///< bytes of the disk that stay free
    int negotiation_s = 10;                  ///< from connection to association
    int idle_s = 30;                         ///< silence of a peer, in the middle of an object or between two
    int association_s = 3600;                ///< life of an association
    int quiet_s = 30;                        ///< a study is complete when no object came for so long
    int task_s = 4 * 3600;                   ///< life of what is done with a complete study
    std::uint64_t task_memory = std::uint64_t{32} << 30;  ///< its address space, bytes
    std::optional<Tls> tls;                  ///< none = not encrypted
    bool once = false;                       ///< stop when the first complete study is handled
};

/// A study that came in whole.
struct ReceivedStudy {
    std::string study_uid;
    std::string log_key;                     ///< names it in logs
    std::filesystem::path folder;
    std::size_t objects = 0;
    int waits = 0;                           ///< how often it was not complete after all
};

/// What came of a study: a word, and whether that is a success.
struct Outcome {
    bool success = false;
    bool again = false;                      ///< not complete after all: ask again after another quiet time
    std::string text;                        ///< for the log
};

/// What is done with a complete study. Runs in a process of its own, one study at a time; when it crashes or takes too long the
/// study has failed and the node goes on.
using StudyTask = std::function<Outcome(const ReceivedStudy& study)>;
struct NodeTasks {
    StudyTask study;
    std::function<std::string()> between;    ///< every half minute, in a process too; its answer is for the log. Empty = nothing to do
};

/// What a node did until it was told to stop.
struct ListenReport {
    std::size_t handled = 0;
    std::size_t failed = 0;                  ///< of those handled
};

/// Receives studies until SIGTERM or SIGINT. What was acknowledged lies whole on disk; what an earlier run of the node received
/// and did not handle is taken up. To be called while the program has one thread. Fails with io if port or spool cannot be had.
Result<ListenReport> listen(const ListenParameters& parameters, const NodeTasks& tasks, const Log& log);

/// The Series Instance UIDs of the DICOM files below a folder.
std::set<std::string> series_in(const std::filesystem::path& folder);

/// Whether study_tags knows it: a keyword of the DICOM dictionary, or CallingAE, the title that sent the object.
bool is_tag(const std::string& keyword);
/// What the series of a received study state, by tag; values as text in UTF-8, each once. For rules, never for logs.
std::map<std::string, std::vector<std::string>> study_tags(const std::filesystem::path& folder, const std::vector<std::string>& tags);

}  // namespace retromass::pacs
