// A step of a shared library: gridlane pipeline: 'ci/nightly.yml', credentials: 'testgrid-token'
def call(Map settings) {
  def out = settings.out ?: 'gridlane-out/job'
  withCredentials([string(credentialsId: settings.credentials, variable: 'TESTGRID_TOKEN')]) {
    withEnv(["GRIDLANE_OUT=${out}", "GRIDLANE_PIPELINE=${settings.pipeline}"]) {
      try {
        sh 'exec gridlane run "$GRIDLANE_PIPELINE"'
      } finally {
        sh 'gridlane cleanup "$GRIDLANE_OUT"'
        junit testResults: "${out}/junit.xml", allowEmptyResults: false
        archiveArtifacts artifacts: "${out}/**", excludes: '**/journal.jsonl,**/state/**'
      }
    }
  }
}
