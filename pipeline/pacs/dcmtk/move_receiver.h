#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/scp.h>

#include <atomic>
#include <memory>
#include <thread>

#include "pipeline/pacs/dcmtk/toolkit.h"
#include "pipeline/pacs/peer.h"

namespace retromass::pacs {

/// Our own port for the time of one C-MOVE: takes what the inbox expects, from the peer of the profile alone.
class MoveReceiver final : private DcmSCP {
public:
    MoveReceiver(const Profile& profile, Inbox& inbox) : profile_(profile), inbox_(inbox) {}
    ~MoveReceiver() override;

    /// Opens the port and answers on it in a thread of its own.
    Status start(const Wanted& wanted);

private:
    OFBool checkCalledAETitleAccepted(const OFString& title) override;
    OFBool checkCallingAETitleAccepted(const OFString& title) override;
    OFBool stopAfterConnectionTimeout() override;
    OFBool stopAfterCurrentAssociation() override;
    OFCondition handleIncomingCommand(T_DIMSE_Message* message, const DcmPresentationContextInfo& context) override;
    void notifyRECEIVEProgress(unsigned long bytes) override { received_bytes_ = bytes; }

    const Profile& profile_;
    Inbox& inbox_;
    std::unique_ptr<DcmTLSTransportLayer> tls_;
    std::atomic<bool> stop_{false};
    std::uintmax_t received_bytes_ = 0;  ///< of the data set that is being received
    std::thread thread_;
};

}  // namespace retromass::pacs
