#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <string>
#include <vector>

namespace retromass::ingest {

/// Whether DCMTK can read the file. Its own log is silent: it names no file, and among thousands nobody could tell which is meant; the caller's
/// error does.
inline bool load(DcmFileFormat& format, const std::filesystem::path& file)
{
    static const bool silent = [] {
        OFLog::getLogger("dcmtk.dcmdata").setLogLevel(OFLogger::OFF_LOG_LEVEL);
        return true;
    }();
    return silent && format.loadFile(file.c_str()).good();
}

/// Text of an attribute; empty where it is absent.
inline std::string text(DcmItem& item, const DcmTagKey& key)
{
    OFString value;
    return item.findAndGetOFString(key, value).good() ? std::string(value.c_str()) : std::string();
}

/// All values of an attribute as one text; empty where it is absent.
inline std::string all_text(DcmItem& item, const DcmTagKey& key)
{
    OFString value;
    return item.findAndGetOFStringArray(key, value).good() ? std::string(value.c_str()) : std::string();
}
inline std::string character_set_of(DcmItem& data) { return all_text(data, DCM_SpecificCharacterSet); }

/// The items of a sequence, found once; none where it is absent.
inline std::vector<DcmItem*> items(DcmItem& parent, const DcmTagKey& key)
{
    std::vector<DcmItem*> out;
    DcmSequenceOfItems* sequence = nullptr;
    if (parent.findAndGetSequence(key, sequence).bad() || !sequence) return out;
    DcmObject* object = nullptr;  // getItem(i) would walk the list from its start for each
    while ((object = sequence->nextInContainer(object)) != nullptr) out.push_back(static_cast<DcmItem*>(object));
    return out;
}

}  // namespace retromass::ingest
