// Every bound of the product, with its unit in its name. Past a bound comes an Error or a Gap that
// names it, never silent truncation.
#pragma once

#include <cstdint>

namespace vigil::limits {

// Archives and file systems.
constexpr uint64_t kPathBytesMax = 4096;
constexpr uint64_t kTarEntriesMax = 20'000'000;        // Per layer.
constexpr uint64_t kTarHeaderBytesMax = 1 << 20;       // One pax header or long name.
constexpr uint64_t kSparseSegmentsMax = 1'000'000;     // Of one sparse file in a tar.
constexpr uint64_t kArchiveIndexEntriesMax = 200'000;  // Members of an image archive's outer tar.
constexpr uint64_t kLayerGapsMax = 20;                 // Named one by one; the rest are counted.
constexpr uint64_t kLayerPassesMax = 3;                // To find contents that links lead to.
constexpr uint64_t kLayerBytesMax = 64ull << 30;       // Inflated, per layer.
constexpr uint64_t kImageBytesMax = 256ull << 30;      // Inflated, per image.
constexpr uint64_t kInflateRatioMax = 1200;            // Deflate itself cannot pass 1032.
// Nothing honest inflates to gigabytes at such a ratio; a bomb ends here within seconds.
constexpr uint64_t kLargeInflateBytes = 4ull << 30;
constexpr uint64_t kLargeInflateRatioMax = 200;
constexpr uint64_t kZstdWindowBytesMax = 128ull << 20;
constexpr uint64_t kSmallZstdWindowBytes = 8ull << 20;  // Larger ones take turns.
constexpr uint64_t kLayersMax = 1000;
constexpr uint64_t kLinkDepthMax = 40;
// What is kept of an image's layers: contents of package databases, links, whiteouts.
constexpr uint64_t kKeptBytesMax = 160ull << 20;
constexpr uint64_t kLinkWorkMax = 20'000'000;  // Steps of following links: per layer, per view.
constexpr uint64_t kDirectoryEntriesMax = 2'000'000;
constexpr uint64_t kArchiveMembersMax = 2'000'000;         // Feeds in zip and tar.
constexpr uint64_t kArchiveMemberBytesMax = 128ull << 20;  // One record each.

// Image metadata.
constexpr uint64_t kManifestBytesMax = 4 << 20;
constexpr uint64_t kImageConfigBytesMax = 8 << 20;
constexpr uint64_t kIndexManifestsMax = 4096;
constexpr uint64_t kIndexDepthMax = 4;

// Package databases.
constexpr uint64_t kPackageDatabaseBytesMax = 144ull << 20;
constexpr uint64_t kPackageListBytesMax = 64ull << 20;  // One dpkg .list or .md5sums.
constexpr uint64_t kCopyrightBytesMax = 8ull << 20;     // One of dpkg's copyright files.
constexpr uint64_t kLicencesMax = 1000;                 // Of one package.
constexpr uint64_t kFieldBytesMax = 16ull << 20;
constexpr uint64_t kPackagesMax = 100'000;             // Per target.
constexpr uint64_t kGapsMax = 2000;                    // Named one by one; the rest are counted.
constexpr uint64_t kOwnedFilesMax = 1'000'000;         // Per image.
constexpr uint64_t kAttributionViewsMax = 256;         // Layers whose databases are read again.
constexpr uint64_t kAttributionBytesMax = 2ull << 30;  // Of databases read again, per image.
constexpr uint64_t kVersionBytesMax = 4096;            // Longer ones are not compared.
constexpr uint64_t kNameBytesMax = 4096;
constexpr uint64_t kPurlBytesMax = 16 << 10;

// Documents.
constexpr uint64_t kJsonDepthMax = 512;
constexpr uint64_t kYamlDepthMax = 64;
constexpr uint64_t kYamlNodesMax = 20'000'000;
constexpr uint64_t kYamlAliasNodesMax = 1'000'000;  // Copied; 64 bytes of text count as one.
constexpr uint64_t kIgnoreFileBytesMax = 16 << 20;
constexpr uint64_t kIgnoreRulesMax = 100'000;
constexpr uint64_t kGlobBytesMax = 1024;
constexpr uint64_t kDocumentBytesMax = 2ull << 30;     // One feed file or SBOM.
constexpr uint64_t kFactTableBytesMax = 256ull << 20;  // Inflated; its texts again as much.

// The advisory database.
constexpr uint64_t kDatabaseManifestBytesMax = 16 << 20;
constexpr uint64_t kShardsMax = 4096;  // Of one database.
constexpr uint64_t kShardBytesMax = 4ull << 30;
constexpr uint64_t kShardSourcesMax = 64;           // Of one shard: the bits of a mask.
constexpr uint64_t kLookupBytesMax = 256ull << 20;  // One answer of a shard, in memory.
constexpr uint64_t kShardNameBytesMax = 100;
constexpr uint64_t kSignaturesMax = 16;      // Of one manifest.
constexpr uint64_t kAttributionsMax = 4096;  // Each kNameBytesMax at most.
constexpr uint64_t kKeyFileBytesMax = 4096;

// The cache. A scan that opened more files is not remembered as a whole.
constexpr uint64_t kTracedFilesMax = 100'000;
constexpr uint64_t kCacheBytesMax = 1ull << 30;  // The oldest entries go first.

// Evidence of running systems (exposure/evidence_store.h). The store drops ended workloads first.
constexpr uint64_t kWorkloadsMax = 4096;
constexpr uint64_t kEvidencePerWorkloadMax = 50'000;  // Files.
constexpr uint64_t kSocketsPerWorkloadMax = 2'000;
constexpr uint64_t kWatchGapsMax = 2'000;  // Of a workload, and of the node; the oldest go first.
constexpr uint64_t kEvidenceStoreBytesMax = 2ull << 30;  // On disk.
constexpr uint64_t kPendingEvidenceMax = 200'000;        // Kept in memory between flushes.
constexpr uint64_t kEvidenceShownMax = 64;  // Per package, drift, unowned: strongest first.

// What is read about containers.
constexpr uint64_t kCgroupLinesMax = 64;
constexpr uint64_t kMountinfoBytesMax = 16 << 20;
constexpr uint64_t kRuntimeFileBytesMax = 32 << 20;  // containers.json and the like.
constexpr uint64_t kRuntimeFolderEntriesMax = 100'000;
constexpr uint64_t kContainerKeysMax = 65'536;  // Cgroups and mount namespaces known.

// The node agent.
constexpr uint64_t kToldMax = 500'000;  // Sightings told once; past it they are told again.
constexpr uint64_t kDigestFileBytesMax = 256ull << 20;  // Larger files are not compared.
constexpr uint64_t kInventoryWorkersMax = 2;            // At a time.
constexpr uint64_t kWorkerAnswerBytesMax = 256ull << 20;
constexpr uint64_t kFindingsFileBytesMax = 64ull << 20;
constexpr uint64_t kChangesToldMax = 10'000;      // Of one database; the rest are counted.
constexpr uint64_t kOutputBytesMax = 4ull << 20;  // Lines that nobody takes.
constexpr uint64_t kHttpRequestBytesMax = 8 << 10;
constexpr uint64_t kHttpConnectionsMax = 16;

// Time and memory of the parsing child.
constexpr uint64_t kChildMemoryBytesMax = 512ull << 20;
constexpr uint64_t kChildThreadBytes = 24ull << 20;  // More for each thread: stacks, windows.
constexpr uint64_t kChildCpuSecondsMax = 600;
constexpr uint64_t kChildWallSecondsMax = 1800;  // Slow disks cost no processor time.
constexpr uint64_t kInventoryBytesMax = 1ull << 30;

// Running systems.
constexpr uint64_t kProcessesMax = 100'000;       // Known at once; past it all are looked up again.
constexpr uint64_t kBatchEventsMax = 20'000;      // Of one call of EventSource::next_batch.
constexpr uint64_t kCommandLineBytesMax = 4096;   // What is kept of a process's arguments.
constexpr uint64_t kProcFileBytesMax = 16 << 20;  // One file of /proc: maps, net/tcp.
constexpr uint64_t kProcessFilesMax = 65'536;     // Descriptors of one process in a snapshot.
constexpr uint64_t kSightingsMax = 200'000;       // Remembered where the kernel does not do it.
constexpr uint64_t kSnapshotBytesMax = 64 << 20;  // Paths in a snapshot of what runs.
constexpr uint64_t kRecordingBytesMax = 256ull << 20;

// What changed in a running root since its start.
constexpr uint64_t kUpperEntriesMax = 2'000'000;       // Of its writable layer, looked at.
constexpr uint64_t kUpperDigestBytesMax = 4ull << 30;  // Hashed of it in all.
constexpr uint64_t kDriftShownMax = 10'000;            // Files; the rest are counted.
constexpr uint64_t kDeletedCodeMax = 1'000;            // Files that are mapped and gone.
constexpr uint64_t kDeletedProcessesMax = 64;          // Named of each.

}  // namespace vigil::limits
