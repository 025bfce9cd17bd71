<?php
/**
 * The whole network, for an engine that does not reach the database.
 *
 * It is read in one snapshot, or not at all: half a network would look like domains that are gone.
 * Values are sent as they are; the engine judges what they mean. Of the settings only three are
 * ever sent.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * One reading.
 */
final class Network_Reader {

	const SETTINGS = array( 'dns_check_interval', 'auto_create_www_subdomain', 'enable_domain_mapping' );

	/**
	 * Whether every query so far was answered.
	 *
	 * @var bool
	 */
	private $is_whole = true;

	/**
	 * Read the network.
	 *
	 * @param string|null $known The version of an earlier answer.
	 * @return array|null Null where the database did not answer in full.
	 */
	public function read( $known ) {
		global $wpdb;
		$quiet = $wpdb->suppress_errors();
		// Where there are no salts yet WordPress makes them, which it could not do further below.
		wp_salt( 'auth' );
		$wpdb->query( 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ' ); // phpcs:ignore WordPress.DB
		$wpdb->query( 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY' ); // phpcs:ignore WordPress.DB
		try {
			$connection = $this->value( 'SELECT CONNECTION_ID()' );
			$answer     = $this->answer( $known );
			// After a lost connection `$wpdb` asks again on a new one: that is another snapshot.
			$this->is_whole = $this->is_whole && $this->value( 'SELECT CONNECTION_ID()' ) === $connection;
		} finally {
			$wpdb->query( 'COMMIT' ); // phpcs:ignore WordPress.DB
			$wpdb->suppress_errors( $quiet );
		}
		return $this->is_whole ? $answer : null;
	}

	/**
	 * The answer to the engine.
	 *
	 * @param string|null $known The version that it knows.
	 * @return array
	 */
	private function answer( $known ) {
		$options = Network_Options::raw( array( Ultimate_Multisite::SETTINGS, Ultimate_Multisite::INTEGRATIONS, Home::OPTION ) );
		$this->note_errors();
		$words = Ultimate_Multisite::stage_words();
		$this->note_errors();
		$head = array(
			'version'   => $this->version( $options, $words ),
			'unchanged' => false,
			'time'      => time(),
		);
		if ( $head['version'] === $known ) {
			$head['unchanged'] = true;
			return $head;
		}
		return $head + $this->whole( $options, $words );
	}

	/**
	 * All of it.
	 *
	 * @param array $options The options that we read, as the table holds them. One that nobody can read is passed on
	 *                       as null.
	 * @param array $words   The stages that the table has.
	 * @return array
	 */
	private function whole( array $options, array $words ) {
		$networks = $this->networks();
		$switches = $options[ Ultimate_Multisite::INTEGRATIONS ];
		$settings = $options[ Ultimate_Multisite::SETTINGS ];
		return array(
			'identity'        => $this->identity( $networks ),
			'home'            => Home::tidy( Network_Options::value( $options[ Home::OPTION ] ) ),
			'keeps_serial'    => true,
			'switched_on'     => Network_Options::is_list( $switches ) ? Ultimate_Multisite::has_closte( Network_Options::value( $switches ) ) : null,
			'settings'        => Network_Options::is_list( $settings ) ? $this->settings( Network_Options::value( $settings ) ) : null,
			'network_domains' => array_values( $networks ),
			'shared_bases'    => Checkout_Forms::hosts( $this->forms() ),
			'stage_words'     => $words,
			'object_cache'    => (bool) wp_using_ext_object_cache(),
			'sites'           => $this->sites(),
			'mappings'        => $this->mappings(),
		);
	}

	/**
	 * A value that changes whenever the network does, and is cheap to get. It does not depend on ages.
	 *
	 * The hashes of rows are MD5, not CRC32: two rows with the same change would cancel each other.
	 *
	 * @param array $options The options that we read, as the table holds them.
	 * @param array $words   The stages that the table has.
	 * @return string
	 */
	private function version( array $options, array $words ) {
		global $wpdb;
		$mappings = Ultimate_Multisite::mappings_table();
		$parts    = array(
			$this->digest( $mappings, "id, blog_id, domain, IFNULL(active, '-'), IFNULL(primary_domain, '-'), IFNULL(stage, '-'), IFNULL(secure, '-')" ),
			$this->digest( $wpdb->blogs, 'blog_id, site_id, domain, path, registered, archived, spam, deleted' ),
			$this->digest( $wpdb->site, 'id, domain' ),
			$this->has_forms() ? $this->digest( $this->forms_table(), "id, IFNULL(settings, '-')" ) : null,
			array_values( $options ),
			$words,
			self::app(),
			(bool) wp_using_ext_object_cache(),
			wp_hash( 'closte-sync' ),
		);
		return substr( hash( 'sha256', (string) wp_json_encode( $parts ) ), 0, 32 );
	}

	/**
	 * The rows of a table in a few digits.
	 *
	 * @param string $table   Its name.
	 * @param string $columns The columns that count.
	 * @return array
	 */
	private function digest( $table, $columns ) {
		return $this->rows( "SELECT COUNT(*), BIT_XOR(CAST(CONV(LEFT(MD5(CONCAT_WS('|', $columns)), 16), 16, 10) AS UNSIGNED)) FROM `$table`" );
	}

	/**
	 * Which network of which database this is.
	 *
	 * @param array $networks Domains by the id of their network.
	 * @return array
	 */
	private function identity( array $networks ) {
		global $wpdb;
		$id = get_current_network_id();
		return array(
			'app'        => self::app(),
			'domain'     => isset( $networks[ $id ] ) ? $networks[ $id ] : get_network()->domain,
			'database'   => $this->value( 'SELECT DATABASE()' ),
			'prefix'     => $wpdb->base_prefix,
			'network_id' => $id,
		);
	}

	/**
	 * The app at the host, where it is defined.
	 *
	 * @return string|null
	 */
	public static function app() {
		return defined( 'CLOSTE_APP_ID' ) && '' !== (string) CLOSTE_APP_ID ? (string) CLOSTE_APP_ID : null;
	}

	/**
	 * The three settings, where they are set.
	 *
	 * @param mixed $settings The option.
	 * @return object
	 */
	private function settings( $settings ) {
		$told = is_array( $settings ) ? array_intersect_key( $settings, array_flip( self::SETTINGS ) ) : array();
		return (object) array_filter( $told, 'is_scalar' );
	}

	/**
	 * Domains by the id of their network.
	 *
	 * @return string[]
	 */
	private function networks() {
		global $wpdb;
		return array_column( $this->rows( "SELECT id, domain FROM `$wpdb->site` ORDER BY id" ), 1, 0 );
	}

	/**
	 * All sites.
	 *
	 * @return array[]
	 */
	private function sites() {
		global $wpdb;
		$rows = $this->rows( "SELECT blog_id, site_id, domain, path, TIMESTAMPDIFF(SECOND, registered, UTC_TIMESTAMP()), archived <> 0 OR spam <> 0 OR deleted <> 0, TIMESTAMPDIFF(SECOND, '1970-01-01', registered) FROM `$wpdb->blogs` ORDER BY blog_id" );
		return array_map(
			static function ( array $row ) {
				list( $id, $network, $domain, $path, $age, $hidden, $registered ) = $row;
				return array( (int) $id, (int) $network, $domain, $path, null === $age ? null : (int) $age, (bool) $hidden, null === $registered ? null : (int) $registered );
			},
			$rows
		);
	}

	/**
	 * All mappings, each with the answer key of its routing proof.
	 *
	 * @return array[]
	 */
	private function mappings() {
		$table = Ultimate_Multisite::mappings_table();
		$rows  = $this->rows( "SELECT id, blog_id, domain, stage, secure, active, primary_domain FROM `$table` ORDER BY id" );
		return array_map(
			static function ( array $row ) {
				list( $id, $site, $domain, $stage, $secure, $active, $primary ) = $row;
				return array( (int) $id, (int) $site, $domain, $stage, (bool) $secure, (bool) $active, (bool) $primary, wp_hash( strtolower( $domain ) ) );
			},
			$rows
		);
	}

	/**
	 * The settings of the checkout forms.
	 *
	 * @return string[]
	 */
	private function forms() {
		if ( ! $this->has_forms() ) {
			return array();
		}
		$table = $this->forms_table();
		return array_column( $this->rows( "SELECT settings FROM `$table` WHERE settings LIKE '%available\\_domains%' ORDER BY id" ), 0 );
	}

	/**
	 * Whether there is a table of checkout forms.
	 *
	 * @return bool
	 */
	private function has_forms() {
		global $wpdb;
		return null !== $this->value( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $this->forms_table() ) ) );
	}

	/**
	 * That table.
	 *
	 * @return string
	 */
	private function forms_table() {
		global $wpdb;
		return $wpdb->base_prefix . 'wu_forms';
	}

	/**
	 * The one value of an answer.
	 *
	 * @param string $sql The question.
	 * @return string|null
	 */
	private function value( $sql ) {
		$rows = $this->rows( $sql );
		return isset( $rows[0][0] ) ? $rows[0][0] : null;
	}

	/**
	 * The rows of an answer.
	 *
	 * @param string $sql The question.
	 * @return array[]
	 */
	private function rows( $sql ) {
		global $wpdb;
		$rows = $wpdb->get_results( $sql, ARRAY_N ); // phpcs:ignore WordPress.DB
		$this->note_errors();
		return (array) $rows;
	}

	/**
	 * One query without an answer makes the whole reading invalid.
	 */
	private function note_errors() {
		global $wpdb;
		$this->is_whole = $this->is_whole && '' === $wpdb->last_error;
	}
}
